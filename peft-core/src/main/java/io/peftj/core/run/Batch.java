package io.peftj.core.run;

import io.peftj.core.PeftException;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.tensor.Index;
import io.peftj.core.tensor.Layout;
import io.peftj.core.tensor.Session;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Rows one after another without padding, sorted by stack and then by length; the caller's order is kept beside.
 *
 * <p>All that a forward pass needs to know of the rows is made here, once.
 */
public final class Batch {
    private final List<Row> rows;
    private final int[] callersRow;
    private final List<Stack> groups;
    private final int[] rowOffsets;
    private final Layout layout;
    private final Index ids;
    private final Index positions;
    private final @Nullable Index types;
    private final Places tokenPlaces;
    private final Places rowPlaces;

    private Batch(Session session, List<Row> callersRows) {
        Map<Stack, List<Integer>> byStack = new LinkedHashMap<>();
        for (int i = 0; i < callersRows.size(); i++) {
            byStack.computeIfAbsent(callersRows.get(i).stack(), key -> new ArrayList<>())
                    .add(i);
        }
        Comparator<Integer> byLength = Comparator.comparingInt(i -> laidOut(callersRows.get(i)));
        byStack.values().forEach(group -> group.sort(byLength));
        this.groups = List.copyOf(byStack.keySet());
        this.callersRow = byStack.values().stream()
                .flatMap(List::stream)
                .mapToInt(Integer::intValue)
                .toArray();
        this.rows = sorted(callersRows);
        this.rowOffsets = offsets(byStack.values().stream().mapToInt(List::size).toArray());
        this.layout = Layout.of(session, rows.stream().mapToInt(Batch::laidOut).toArray());
        this.rowPlaces = new Places(rowOffsets, range(rows.size()), filled(rows.size(), Places.WHOLE_ROW));
        this.tokenPlaces = tokenPlaces();
        this.ids = session.index(idsOfTokens());
        this.positions = session.index(positionsOfTokens());
        boolean typed = rows.stream().anyMatch(Row::hasTypes);
        this.types = typed ? session.index(typesOfTokens()) : null;
    }

    /**
     * Lays rows out for a model.
     *
     * @throws PeftException if there is no row, a row is empty or too long for the model, or an id or type count is wrong
     */
    public static Batch of(Session session, BackboneSpec spec, List<Row> rows) {
        if (rows.isEmpty()) {
            throw new PeftException("the batch has no rows; give at least one");
        }
        for (int i = 0; i < rows.size(); i++) {
            check(spec, rows.get(i), i);
        }
        return new Batch(session, rows);
    }

    /**
     * Refuses a row that no batch could have.
     *
     * @param number names it in messages
     * @throws PeftException if it is empty or too long for the model, or an id or type count is wrong
     */
    public static void check(BackboneSpec spec, Row row, int number) {
        if (row.length() == 0) {
            throw new PeftException("row " + number + " has no tokens; every row needs at least one");
        }
        int shift = row.stack().positionShift();
        int tokens = row.before() + row.length();
        if (tokens + shift > spec.positions()) {
            throw new PeftException("row " + number + " has " + tokens + " tokens"
                    + (shift == 0 ? "" : " after " + shift + " virtual ones") + ", but the model takes at most "
                    + spec.positions()
                    + "; cut the text" + (shift == 0 ? "" : " or use fewer virtual tokens"));
        }
        if (row.prompt() == 0 && row.before() == 0) {
            for (ActiveAdapter adapter : row.stack().adapters()) {
                if (adapter.plan().plan().readsWholePrompt()) {
                    throw new PeftException("row " + number + " has no prompt, which adapter " + adapter.name()
                            + " reads; give it one token at least");
                }
            }
        }
        for (int token = 0; token < row.length(); token++) {
            int id = row.id(token);
            if (id < 0 || id >= spec.vocabulary()) {
                throw new PeftException("row " + number + " has token id " + id + ", but the vocabulary has ids 0 to "
                        + (spec.vocabulary() - 1) + "; use the model's own tokenizer");
            }
        }
        if (row.hasTypes() && row.typeCount() != row.length()) {
            throw new PeftException(
                    "row " + number + " has " + row.length() + " tokens but " + row.typeCount() + " token types");
        }
    }

    /** Rows in this batch's order. */
    public List<Row> rows() {
        return rows;
    }

    /** The caller's number of a row of this batch. */
    public int callersRow(int row) {
        return callersRow[row];
    }

    /** What belongs to the caller's rows, in this batch's order. */
    public <T> List<T> sorted(List<T> ofCallersRows) {
        return Arrays.stream(callersRow).mapToObj(ofCallersRows::get).toList();
    }

    /** What belongs to this batch's rows, in the caller's order. */
    public <T> List<T> inCallersOrder(List<T> ofRows) {
        List<T> inOrder = new ArrayList<>(ofRows);
        for (int row = 0; row < callersRow.length; row++) {
            inOrder.set(callersRow[row], ofRows.get(row));
        }
        return inOrder;
    }

    /** The stacks, one a group of rows. */
    public List<Stack> groups() {
        return groups;
    }

    /** The rows of a group, by number. */
    IntStream rowsOf(int group) {
        return IntStream.range(rowOffsets[group], rowOffsets[group + 1]);
    }

    /** Where the rows begin and end among the tokens, virtual ones included. */
    public Layout layout() {
        return layout;
    }

    /** The number of a row's first real token among all tokens: virtual ones stand before it. */
    public int firstToken(int row) {
        return layout.begin(row) + rows.get(row).virtualTokens();
    }

    /** How many tokens of a row earlier passes have put into a cache, virtual ones included. */
    public int keptBefore(int row) {
        Row of = rows.get(row);
        return of.before() == 0 ? 0 : of.before() + of.stack().virtualTokens();
    }

    /** Whether virtual tokens stand before any row. */
    public boolean hasVirtualTokens() {
        return rows.stream().anyMatch(row -> row.virtualTokens() > 0);
    }

    /** Token ids; virtual tokens have none, and 0 stands for them. */
    public Index ids() {
        return ids;
    }

    /** Positions of the tokens in their rows, shifted by what adapters put before them. */
    public Index positions() {
        return positions;
    }

    /** Token types, 0 for virtual tokens; null for all zeros. */
    public @Nullable Index types() {
        return types;
    }

    /** The tokens as places. */
    public Places tokens() {
        return tokenPlaces;
    }

    /** The rows as places. */
    public Places rowPlaces() {
        return rowPlaces;
    }

    /** Some of the tokens as places, by rising number. */
    public Places select(int... tokens) {
        int[] offsets = new int[groups.size() + 1];
        int[] row = new int[tokens.length];
        int[] at = new int[tokens.length];
        int group = 0;
        for (int i = 0; i < tokens.length; i++) {
            while (tokens[i] >= tokenPlaces.offset(group + 1)) {
                offsets[++group] = i;
            }
            row[i] = tokenPlaces.row(tokens[i]);
            at[i] = tokenPlaces.token(tokens[i]);
        }
        while (group < groups.size()) {
            offsets[++group] = tokens.length;
        }
        return new Places(offsets, row, at);
    }

    private Places tokenPlaces() {
        int[] row = new int[layout.tokens()];
        int[] at = new int[layout.tokens()];
        for (int r = 0; r < rows.size(); r++) {
            for (int t = 0; t < layout.length(r); t++) {
                row[layout.begin(r) + t] = r;
                at[layout.begin(r) + t] = t - rows.get(r).virtualTokens();
            }
        }
        int[] offsets = Arrays.stream(rowOffsets).map(layout::begin).toArray();
        return new Places(offsets, row, at);
    }

    private long[] positionsOfTokens() {
        long[] positions = new long[layout.tokens()];
        for (int i = 0; i < positions.length; i++) {
            Row row = rows.get(tokenPlaces.row(i));
            positions[i] = (long) row.stack().positionShift() + row.before() + tokenPlaces.token(i);
        }
        return positions;
    }

    private long[] idsOfTokens() {
        long[] all = new long[layout.tokens()];
        for (int i = 0; i < all.length; i++) {
            int token = tokenPlaces.token(i);
            all[i] = token < 0 ? 0 : rows.get(tokenPlaces.row(i)).id(token);
        }
        return all;
    }

    private long[] typesOfTokens() {
        long[] all = new long[layout.tokens()];
        for (int i = 0; i < all.length; i++) {
            int token = tokenPlaces.token(i);
            all[i] = token < 0 ? 0 : rows.get(tokenPlaces.row(i)).type(token);
        }
        return all;
    }

    /** A row's tokens in a pass, virtual ones included. */
    private static int laidOut(Row row) {
        return row.virtualTokens() + row.length();
    }

    private static int[] offsets(int... sizes) {
        int[] offsets = new int[sizes.length + 1];
        for (int i = 0; i < sizes.length; i++) {
            offsets[i + 1] = offsets[i] + sizes[i];
        }
        return offsets;
    }

    private static int[] range(int n) {
        int[] range = new int[n];
        Arrays.setAll(range, i -> i);
        return range;
    }

    private static int[] filled(int n, int value) {
        int[] filled = new int[n];
        Arrays.fill(filled, value);
        return filled;
    }
}
