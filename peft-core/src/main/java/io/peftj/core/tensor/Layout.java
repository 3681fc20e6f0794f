package io.peftj.core.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where each row of a batch begins and ends among the tokens, which stand one after another without padding.
 *
 * <p>Rows of equal length that follow each other form a run, which a kernel computes at once.
 */
public final class Layout {
    private final Session session;
    private final int[] offsets;
    private final List<Run> runs;
    private @Nullable Segments segments;
    private @Nullable Index runTable;

    /** Rows of one length, one after another: tokens [begin, begin + rows·length). */
    public record Run(int begin, int rows, int length) {}

    private Layout(Session session, int[] offsets, List<Run> runs) {
        this.session = session;
        this.offsets = offsets;
        this.runs = runs;
    }

    /**
     * Rows of the given lengths.
     *
     * @throws IllegalArgumentException if there is no row or an empty one
     */
    public static Layout of(Session session, int... lengths) {
        if (lengths.length == 0) {
            throw new IllegalArgumentException("a layout needs at least one row");
        }
        int[] offsets = new int[lengths.length + 1];
        List<Run> runs = new ArrayList<>();
        int first = 0;
        for (int row = 0; row < lengths.length; row++) {
            if (lengths[row] <= 0) {
                throw new IllegalArgumentException(
                        "row " + row + " has " + lengths[row] + " tokens; every row needs at least one");
            }
            offsets[row + 1] = offsets[row] + lengths[row];
            if (row + 1 == lengths.length || lengths[row + 1] != lengths[row]) {
                runs.add(new Run(offsets[first], row + 1 - first, lengths[row]));
                first = row + 1;
            }
        }
        return new Layout(session, offsets, List.copyOf(runs));
    }

    /** Number of rows. */
    public int rows() {
        return offsets.length - 1;
    }

    /** Number of tokens of all rows. */
    public int tokens() {
        return offsets[rows()];
    }

    /** Where a row's tokens begin; {@code begin(rows())} is the number of tokens. */
    public int begin(int row) {
        return offsets[row];
    }

    /** Number of tokens of a row. */
    public int length(int row) {
        return offsets[row + 1] - offsets[row];
    }

    /** Whether a row begins or ends at a token's number. */
    public boolean isBoundary(int token) {
        return Arrays.binarySearch(offsets, token) >= 0;
    }

    /** Rows of equal length taken together. */
    public List<Run> runs() {
        return runs;
    }

    /** The rows as segments with a slot each. */
    public Segments segments() {
        if (segments == null) {
            segments = Segments.of(session, offsets);
        }
        return segments;
    }

    /** The runs as begin, rows, length triples in one index. */
    public Index runTable() {
        if (runTable == null) {
            runTable = session.index(runs.stream()
                    .flatMapToLong(r -> java.util.stream.LongStream.of(r.begin(), r.rows(), r.length()))
                    .toArray());
        }
        return runTable;
    }
}
