package io.peftj.core.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Where the rows of a pass lie in a {@link KeyValueCache}: row r's tokens come behind the {@link #before} tokens that {@link #slot} holds already, and see
 * these and each other up to themselves.
 *
 * <p>Beside the {@link Layout} of queries this is the layout of keys.
 */
public final class CacheLayout {
    private final Layout queries;
    private final int[] slots;
    private final int[] before;
    private final List<Run> runs;
    private final long[] runTable;
    private final Index slotOfToken;
    private final Index placeOfToken;

    /**
     * What a kernel computes at once: a row, or rows of one token at consecutive slots with equally many tokens before.
     *
     * @param begin the first row's first token in the pass
     * @param rows how many rows
     * @param length tokens of a row in the pass
     * @param slot the first row's slot
     * @param before tokens of a row in the cache before the pass
     */
    public record Run(int begin, int rows, int length, int slot, int before) {
        private boolean isContinuedBy(Run next) {
            return length == 1 && next.length == 1 && next.slot == slot + rows && next.before == before;
        }
    }

    private CacheLayout(Session session, Layout queries, int[] slots, int[] before) {
        this.queries = queries;
        this.slots = slots;
        this.before = before;
        this.runs = List.copyOf(runsOf(queries, slots, before));
        this.runTable = runs.stream()
                .flatMapToLong(r -> LongStream.of(r.begin(), r.rows(), r.length(), r.slot(), r.before()))
                .toArray();
        long[] slotOf = new long[queries.tokens()];
        long[] placeOf = new long[queries.tokens()];
        for (int row = 0; row < queries.rows(); row++) {
            for (int i = 0; i < queries.length(row); i++) {
                slotOf[queries.begin(row) + i] = slots[row];
                placeOf[queries.begin(row) + i] = (long) before[row] + i;
            }
        }
        this.slotOfToken = session.index(slotOf);
        this.placeOfToken = session.index(placeOf);
    }

    /**
     * Rows in a cache.
     *
     * @param queries the rows' tokens in this pass
     * @param slots each row's slot, no two alike
     * @param before how many tokens each row has in the cache already
     * @throws IllegalArgumentException if there are not as many of each as rows, or two rows share a slot
     */
    public static CacheLayout of(Session session, Layout queries, int[] slots, int[] before) {
        if (slots.length != queries.rows() || before.length != queries.rows()) {
            throw new IllegalArgumentException(queries.rows() + " rows were given " + slots.length + " slots and "
                    + before.length + " counts of tokens before; expected one of each a row");
        }
        if (Arrays.stream(slots).distinct().count() != slots.length) {
            throw new IllegalArgumentException("two rows of a pass share a slot; give each its own");
        }
        for (int row = 0; row < slots.length; row++) {
            if (slots[row] < 0 || before[row] < 0) {
                throw new IllegalArgumentException("row " + row + " has slot " + slots[row] + " and " + before[row]
                        + " tokens before; expected no number below 0");
            }
        }
        return new CacheLayout(session, queries, slots.clone(), before.clone());
    }

    private static List<Run> runsOf(Layout queries, int[] slots, int[] before) {
        List<Run> found = new ArrayList<>();
        for (int row = 0; row < slots.length; row++) {
            Run next = new Run(queries.begin(row), 1, queries.length(row), slots[row], before[row]);
            int last = found.size() - 1;
            if (last >= 0 && found.get(last).isContinuedBy(next)) {
                Run run = found.get(last);
                found.set(last, new Run(run.begin(), run.rows() + 1, 1, run.slot(), run.before()));
            } else {
                found.add(next);
            }
        }
        return found;
    }

    /** The rows' tokens in this pass. */
    public Layout queries() {
        return queries;
    }

    /** A row's slot. */
    public int slot(int row) {
        return slots[row];
    }

    /** Tokens that a row has in the cache before this pass. */
    public int before(int row) {
        return before[row];
    }

    /** What kernels compute at once, in the rows' order. */
    public List<Run> runs() {
        return runs;
    }

    /** Begin, rows, length, slot and tokens before of each run, one after another. */
    public long[] runTable() {
        return runTable.clone();
    }

    /** The slot of each of the pass's tokens. */
    public Index slotOfToken() {
        return slotOfToken;
    }

    /** The place in its slot of each of the pass's tokens. */
    public Index placeOfToken() {
        return placeOfToken;
    }
}
