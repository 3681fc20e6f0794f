package io.peftj.testkit.operation;

import io.peftj.core.tensor.AttentionPrefix;
import io.peftj.core.tensor.CacheLayout;
import io.peftj.core.tensor.KeyValueCache;
import io.peftj.core.tensor.Layout;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/** Attention over what a cache holds: rows that begin, go on with one token or with several, in slots in and out of order. */
final class CacheOperations {
    private static final int LAYERS = 2;

    private CacheOperations() {}

    /** A row: its slot, its tokens in the cache before the pass, and those of the pass. */
    private record Row(int slot, int before, int length) {}

    /** Tokens [begin, end) see a prefix of a length. */
    private record Range(int begin, int end, int length) {}

    static List<Operation> all() {
        List<Operation> cases = new ArrayList<>();
        for (int[] heads : new int[][] {{2, 2}, {4, 2}, {3, 1}}) {
            cases.add(cached(heads, 4, rows(new Row(0, 0, 3), new Row(1, 0, 3))));
            cases.add(cached(heads, 4, rows(new Row(0, 5, 1), new Row(1, 5, 1), new Row(2, 5, 1))));
            cases.add(cached(heads, 8, rows(new Row(2, 4, 1), new Row(0, 4, 1), new Row(1, 4, 1))));
            cases.add(cached(heads, 4, rows(new Row(0, 2, 1), new Row(1, 5, 1), new Row(3, 5, 1))));
            cases.add(cached(heads, 4, rows(new Row(0, 7, 1), new Row(1, 2, 1), new Row(2, 2, 1), new Row(3, 0, 1))));
            cases.add(cached(
                    heads,
                    8,
                    rows(new Row(0, 2, 1), new Row(1, 4, 1), new Row(2, 1, 2), new Row(3, 3, 1), new Row(4, 0, 1)),
                    new Range(0, 2, 2),
                    new Range(4, 6, 3)));
            cases.add(cached(heads, 12, rows(new Row(1, 3, 4), new Row(0, 1, 2))));
            cases.add(cached(heads, 16, rows(new Row(0, 6, 1), new Row(3, 0, 4), new Row(1, 2, 3), new Row(2, 0, 1))));
            cases.add(cached(heads, 4, rows(new Row(0, 6, 1), new Row(3, 0, 4), new Row(1, 2, 3)), new Range(0, 5, 3)));
            cases.add(cached(
                    heads,
                    8,
                    rows(new Row(0, 2, 1), new Row(1, 2, 1), new Row(2, 4, 1), new Row(3, 1, 2)),
                    new Range(0, 2, 1),
                    new Range(3, 5, 2)));
        }
        return cases;
    }

    static List<Operation> large() {
        return List.of(
                cached(new int[] {9, 3}, 64, rows(new Row(0, 70, 1), new Row(1, 70, 1), new Row(2, 3, 1))),
                cached(new int[] {4, 2}, 64, rows(new Row(0, 33, 40), new Row(1, 0, 70)), new Range(0, 110, 20)));
    }

    private static List<Row> rows(Row... rows) {
        return List.of(rows);
    }

    private static Operation cached(int[] heads, int headDim, List<Row> rows, Range... prefixes) {
        int kv = heads[1];
        int tokens = sum(rows, Row::length);
        int earlier = sum(rows, Row::before);
        Operation operation = Operation.named("cached attention of " + rows + ", " + heads[0] + " heads over " + kv
                        + ", dimension " + headDim
                        + (prefixes.length == 0 ? "" : ", prefixes " + Arrays.toString(prefixes)))
                .constant("earlier k", earlier, kv, headDim)
                .constant("earlier v", earlier, kv, headDim)
                .constant("q", tokens, heads[0], headDim)
                .constant("k", tokens, kv, headDim)
                .constant("v", tokens, kv, headDim);
        for (int i = 0; i < prefixes.length; i++) {
            operation.constant("prefix keys " + i, prefixes[i].length(), kv, headDim);
            operation.constant("prefix values " + i, prefixes[i].length(), kv, headDim);
        }
        int slots = 1 + rows.stream().mapToInt(Row::slot).max().orElse(0);
        int capacity = 1
                + rows.stream()
                        .mapToInt(row -> row.before() + row.length())
                        .max()
                        .orElse(0);
        Shape shape = Shape.of(slots, kv, capacity, headDim);
        operation.constant("stale", slots * capacity, kv, headDim);
        return operation.computesAll(o -> {
            try (KeyValueCache cache = KeyValueCache.open(o.session().backend(), LAYERS, shape, o.dtype())) {
                storeStale(o, cache);
                storeEarlier(
                        o, cache, rows.stream().filter(row -> row.before() > 0).toList());
                CacheLayout now = CacheLayout.of(
                        o.session(),
                        Layout.of(o.session(), ints(rows, Row::length)),
                        ints(rows, Row::slot),
                        ints(rows, Row::before));
                cache.store(1, o.get("k"), o.get("v"), now);
                // The first layer's entries are others, which the second's must not mind.
                cache.store(0, o.get("v"), o.get("k"), now);
                double scale = 1 / Math.sqrt(headDim);
                return List.of(
                        o.get("q").attention(cache, 1, now, scale, given(o, prefixes)),
                        o.get("q").attention(cache, 0, now, scale, List.of()));
            }
        });
    }

    /** What rows before them left in the slots. */
    private static void storeStale(Operands o, KeyValueCache cache) {
        int[] full = new int[cache.slots()];
        Arrays.fill(full, cache.capacity());
        int[] slots = IntStream.range(0, cache.slots()).toArray();
        CacheLayout all = CacheLayout.of(o.session(), Layout.of(o.session(), full), slots, new int[cache.slots()]);
        cache.store(1, o.get("stale"), o.get("stale"), all);
    }

    private static void storeEarlier(Operands o, KeyValueCache cache, List<Row> rows) {
        if (!rows.isEmpty()) {
            CacheLayout before = CacheLayout.of(
                    o.session(),
                    Layout.of(o.session(), ints(rows, Row::before)),
                    ints(rows, Row::slot),
                    new int[rows.size()]);
            cache.store(1, o.get("earlier k"), o.get("earlier v"), before);
        }
    }

    private static List<AttentionPrefix> given(Operands o, Range... prefixes) {
        List<AttentionPrefix> given = new ArrayList<>();
        for (int i = 0; i < prefixes.length; i++) {
            Tensor keys = o.get("prefix keys " + i);
            given.add(new AttentionPrefix(prefixes[i].begin(), prefixes[i].end(), keys, o.get("prefix values " + i)));
        }
        return given;
    }

    private static int sum(List<Row> rows, ToIntFunction<Row> of) {
        return rows.stream().mapToInt(of).sum();
    }

    private static int[] ints(List<Row> rows, ToIntFunction<Row> of) {
        return rows.stream().mapToInt(of).toArray();
    }
}
