package io.peftj.djl.serve;

import io.peftj.core.run.Batch;
import io.peftj.core.run.Row;
import io.peftj.core.run.Run;
import io.peftj.core.run.Stack;
import io.peftj.core.tensor.Session;
import io.peftj.djl.backbone.Backbone;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Rows of requests, computed together, each under its own adapter. */
final class Rows {
    /** Rows that are computed together, side by side where the backend has lanes. */
    private static final int MOST = 64;

    private final Backbone base;

    Rows(Backbone base) {
        this.base = base;
    }

    /**
     * One request's tokens.
     *
     * @param ids at least one
     * @param adapter null for the base model alone
     */
    @SuppressWarnings("ArrayRecordComponent") // made and read here, never compared
    record Tokens(int[] ids, @Nullable ServedAdapter adapter) {}

    /**
     * Computes something of each row.
     *
     * @param compute gives one result a row of the batch, in the batch's order
     * @return the results in the order of the rows given
     */
    <T> List<T> each(String operation, List<Tokens> rows, Function<Run, List<T>> compute) {
        List<T> results = new ArrayList<>();
        for (int from = 0; from < rows.size(); from += MOST) {
            List<Tokens> some = rows.subList(from, Math.min(rows.size(), from + MOST));
            results.addAll(base.each(operation, () -> false, some, row -> row.ids().length, (session, part) -> {
                Batch batch = Batch.of(session, base.spec(), rows(session, part));
                return batch.inCallersOrder(compute.apply(new Run(session, batch, null)));
            }));
        }
        return results;
    }

    /**
     * Computes something of each row, rows of one kind together.
     *
     * @param kind what tells rows apart that one computation cannot do, such as how they are pooled
     * @param compute gives one result a row of the batch, in the batch's order
     * @return the results in the order of the rows given
     */
    <T, K> List<T> each(
            String operation, List<Tokens> rows, Function<Tokens, K> kind, BiFunction<Run, K, List<T>> compute) {
        Map<K, List<Integer>> places = new LinkedHashMap<>();
        for (int row = 0; row < rows.size(); row++) {
            places.computeIfAbsent(kind.apply(rows.get(row)), key -> new ArrayList<>())
                    .add(row);
        }
        Map<Integer, T> results = new TreeMap<>();
        places.forEach((key, alike) -> {
            List<T> found = each(operation, alike.stream().map(rows::get).toList(), run -> compute.apply(run, key));
            for (int i = 0; i < found.size(); i++) {
                results.put(alike.get(i), found.get(i));
            }
        });
        return List.copyOf(results.values());
    }

    /** Equal adapters get one stack, which is what groups rows. */
    private static List<Row> rows(Session session, List<Tokens> tokens) {
        Map<ServedAdapter, Stack> stacks = new HashMap<>();
        List<Row> rows = new ArrayList<>();
        for (Tokens one : tokens) {
            ServedAdapter adapter = one.adapter();
            Stack stack = adapter == null
                    ? Stack.BASE
                    : stacks.computeIfAbsent(
                            adapter, key -> Stack.of(key.resident().in(session)));
            rows.add(Row.of(stack, rows.size(), Arrays.copyOf(one.ids(), one.ids().length)));
        }
        return rows;
    }
}
