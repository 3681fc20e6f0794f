package io.peftj.core.run;

import io.peftj.core.adapter.Contribution.RowDelta;
import io.peftj.core.adapter.Contribution.SubstituteRows;
import io.peftj.core.adapter.Contribution.VirtualTokens;
import io.peftj.core.run.Assignment.Entry;
import io.peftj.core.tensor.Index;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * What a batch's adapters do to rows of a frozen matrix: where token embeddings are looked up by number, and where a product has one output a row.
 * Neighbouring groups with equal adapters there are computed together.
 */
final class TokenRows {
    private final Session session;
    private final Batch batch;

    TokenRows(Session session, Batch batch) {
        this.session = session;
        this.batch = batch;
    }

    /** Whether adapters touch single rows of a matrix, or what is looked up in it. */
    boolean act(String baseParameter) {
        // Loops instead of streams: this is asked several times for every product.
        for (Stack stack : batch.groups()) {
            for (ActiveAdapter adapter : stack.adapters()) {
                if (!adapter.plan().substituteRows(baseParameter).isEmpty()
                        || !adapter.plan().rowDeltas(baseParameter).isEmpty()) {
                    return true;
                }
            }
        }
        return false;
    }

    /** What acts on the lookups of one group. */
    private record Lookup(
            @Nullable Tensor replacement, List<Entry<SubstituteRows>> rows, List<Entry<RowDelta>> deltas) {}

    /**
     * Rows by id [places, width].
     *
     * @param replacement a group's matrix in the place of the frozen one, or null
     */
    Tensor lookup(
            String baseParameter,
            Index ids,
            Weight weight,
            Places places,
            Function<Integer, @Nullable Tensor> replacement) {
        List<Lookup> ofGroup = new ArrayList<>();
        for (int g = 0; g < batch.groups().size(); g++) {
            ofGroup.add(new Lookup(
                    replacement.apply(g),
                    entries(g, plan -> plan.substituteRows(baseParameter)),
                    entries(g, plan -> plan.rowDeltas(baseParameter))));
        }
        return places.byGroup(ofGroup, (lookup, range) -> {
            long[] some = Arrays.copyOfRange(ids.values(), range.begin(), range.end());
            return lookup(lookup, some, weight);
        });
    }

    private Tensor lookup(Lookup lookup, long[] ids, Weight weight) {
        Index index = session.index(ids);
        Tensor matrix = lookup.replacement();
        Tensor found = matrix == null
                ? Tensor.rows(session, weight, index)
                : matrix.gather(index).cast(weight.dtype());
        for (Entry<SubstituteRows> entry : lookup.rows()) {
            Tensor rows = entry.adapter()
                    .parameter(entry.contribution().replacement())
                    .cast(weight.dtype());
            Map<Long, Integer> replaced = new HashMap<>();
            entry.contribution().rows().forEach(number -> replaced.put((long) number, ids.length + replaced.size()));
            long[] from = new long[ids.length];
            Arrays.setAll(from, i -> replaced.getOrDefault(ids[i], i));
            found = Tensor.concat(List.of(found, rows), 0).gather(session.index(from));
        }
        for (Entry<RowDelta> entry : lookup.deltas()) {
            RowDelta delta = entry.contribution();
            Tensor table = entry.adapter().parameter(delta.table()); // [rank, rows]
            Tensor low = table.transpose().gather(index);
            found = found.plus(
                    low.linear(entry.adapter().parameter(delta.factor())).cast(weight.dtype()));
        }
        return found;
    }

    /**
     * A product in which the outputs of replaced rows are computed anew.
     *
     * @param x the product's input [places, in]
     * @param y the product [places, rows]
     */
    Tensor product(String baseParameter, Tensor x, Tensor y, Places places) {
        List<List<Entry<SubstituteRows>>> ofGroup = IntStream.range(
                        0, batch.groups().size())
                .mapToObj(g -> entries(g, plan -> plan.substituteRows(baseParameter)))
                .toList();
        return places.byGroup(ofGroup, (entries, range) -> {
            Tensor part = range.of(y);
            for (Entry<SubstituteRows> entry : entries) {
                Tensor rows = entry.adapter().parameter(entry.contribution().replacement());
                Tensor columns = range.of(x).cast(rows.dtype()).linear(rows).cast(y.dtype());
                part = withColumns(part, entry.contribution().rows(), columns);
            }
            return part;
        });
    }

    /** y [places, rows] with column numbers(i) in the place of the i-th of columns [places, numbers]; joined from parts, so nothing is computed twice. */
    private static Tensor withColumns(Tensor y, List<Integer> numbers, Tensor columns) {
        List<Integer> rising = IntStream.range(0, numbers.size())
                .boxed()
                .sorted((i, j) -> numbers.get(i) - numbers.get(j))
                .toList();
        List<Integer> sizes = new ArrayList<>();
        int at = 0;
        for (int i : rising) {
            sizes.add(numbers.get(i) - at);
            sizes.add(1);
            at = numbers.get(i) + 1;
        }
        sizes.add(y.shape().dim(1) - at);
        List<Tensor> kept = y.split(1, ints(sizes));
        int[] ones = new int[numbers.size()];
        Arrays.fill(ones, 1);
        List<Tensor> others = columns.split(1, ones);
        List<Tensor> joined = new ArrayList<>();
        for (int i = 0; i < kept.size(); i++) {
            if (i % 2 == 1) {
                joined.add(others.get(rising.get(i / 2)));
            } else if (sizes.get(i) > 0) {
                joined.add(kept.get(i));
            }
        }
        return Tensor.concat(joined, 1);
    }

    /** The vectors of virtual tokens in the places that they have among the tokens' embeddings [tokens, width]. */
    Tensor withVirtualTokens(Tensor embeddings) {
        if (!batch.hasVirtualTokens()) {
            return embeddings;
        }
        Places places = batch.tokens();
        long[] from = LongStream.range(0, places.size()).toArray();
        int next = from.length;
        List<Tensor> all = new ArrayList<>(List.of(embeddings));
        for (int g = 0; g < batch.groups().size(); g++) {
            int[] virtual = IntStream.range(places.offset(g), places.offset(g + 1))
                    .filter(place -> places.token(place) < 0)
                    .toArray();
            Entry<VirtualTokens> prompt = batch.groups().get(g).prompt();
            if (prompt != null && virtual.length > 0) {
                int count = prompt.contribution().count();
                Index numbers = session.index(Arrays.stream(virtual)
                        .mapToLong(place -> count + places.token(place))
                        .toArray());
                Tensor vectors =
                        prompt.adapter().parameter(prompt.contribution().embeddings());
                // Repeated before the cast, so that the rows' gradients are summed in the vectors' own format.
                all.add(vectors.gather(numbers).cast(embeddings.dtype()));
                for (int place : virtual) {
                    from[place] = next++;
                }
            }
        }
        return Tensor.concat(all, 0).gather(session.index(from));
    }

    private static int[] ints(List<Integer> numbers) {
        return numbers.stream().mapToInt(Integer::intValue).toArray();
    }

    private <C> List<Entry<C>> entries(int group, Function<BoundPlan, List<C>> contributions) {
        List<Entry<C>> entries = new ArrayList<>();
        for (ActiveAdapter adapter : batch.groups().get(group).adapters()) {
            contributions.apply(adapter.plan()).forEach(c -> entries.add(new Entry<>(adapter, c)));
        }
        return entries;
    }
}
