package io.peftj.core.run;

import io.peftj.core.run.Assignment.Entry;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Dropout;
import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntUnaryOperator;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * Who acts where in a batch: what its rows' adapters contribute, alike contributions of several adapters put together with their parameters stacked, so
 * that they are computed at once.
 */
final class Acting {
    private final Session session;
    private final Batch batch;
    private final @Nullable Training training;
    private final @Nullable ResidentStacks kept;
    private final Map<List<Object>, Segments> segments = new HashMap<>();
    private final Map<List<Object>, Dropout> dropouts = new HashMap<>();

    /**
     * Of a batch.
     *
     * @param training what dropout draws by; null for inference
     * @param kept what earlier passes stacked; null if nothing is kept
     */
    Acting(Session session, Batch batch, @Nullable Training training, @Nullable ResidentStacks kept) {
        this.session = session;
        this.batch = batch;
        this.training = training;
        this.kept = kept;
    }

    // ---- contributions ----

    /** The k-th alike contribution of every group, for each depth k. */
    private <C> List<List<@Nullable Entry<C>>> depths(Function<BoundPlan, List<C>> contributions) {
        List<List<Entry<C>>> ofGroup = new ArrayList<>();
        int deepest = 0;
        for (Stack stack : batch.groups()) {
            List<Entry<C>> entries = new ArrayList<>();
            for (ActiveAdapter adapter : stack.adapters()) {
                contributions.apply(adapter.plan()).forEach(c -> entries.add(new Entry<>(adapter, c)));
            }
            ofGroup.add(entries);
            deepest = Math.max(deepest, entries.size());
        }
        List<List<@Nullable Entry<C>>> depths = new ArrayList<>();
        for (int k = 0; k < deepest; k++) {
            List<@Nullable Entry<C>> depth = new ArrayList<>();
            for (List<Entry<C>> entries : ofGroup) {
                depth.add(k < entries.size() ? entries.get(k) : null);
            }
            depths.add(depth);
        }
        return depths;
    }

    /** The k-th contributions of all groups, apart by what those share that are computed together. */
    <C> List<Assignment<C>> alike(Function<BoundPlan, List<C>> contributions, Function<C, List<Object>> kind) {
        List<Assignment<C>> found = new ArrayList<>();
        for (List<@Nullable Entry<C>> depth : depths(contributions)) {
            Map<List<Object>, List<@Nullable Entry<C>>> byKind = new LinkedHashMap<>();
            for (int g = 0; g < depth.size(); g++) {
                Entry<C> entry = depth.get(g);
                if (entry != null) {
                    byKind.computeIfAbsent(
                                    kind.apply(entry.contribution()),
                                    key -> new ArrayList<>(Collections.nCopies(depth.size(), null)))
                            .set(g, entry);
                }
            }
            byKind.values().forEach(alike -> found.add(Assignment.of(alike)));
        }
        return found;
    }

    <C> List<Assignment<C>> assignments(Function<BoundPlan, List<C>> contributions) {
        List<Assignment<C>> found = new ArrayList<>();
        for (List<@Nullable Entry<C>> depth : depths(contributions)) {
            found.add(Assignment.of(depth));
        }
        return found;
    }

    /** Whether no group has an adapter. */
    boolean isEmpty() {
        return !any(adapter -> true);
    }

    boolean any(Predicate<ActiveAdapter> predicate) {
        // Loops: this is asked several times a layer.
        for (Stack stack : batch.groups()) {
            for (ActiveAdapter adapter : stack.adapters()) {
                if (predicate.test(adapter)) {
                    return true;
                }
            }
        }
        return false;
    }

    Segments segments(Places places, int[] slots, int slotCount) {
        List<Object> key = new ArrayList<>(List.of(places, slotCount));
        for (int slot : slots) {
            key.add(slot);
        }
        return segments.computeIfAbsent(
                List.copyOf(key), k -> Segments.of(session, places.offsets(), slots, slotCount));
    }

    // ---- their parameters ----

    /** A formula's parameters, stacked where its contributions differ. */
    <C> List<Tensor> parameters(
            Assignment<C> assignment, Function<C, List<String>> names, IntUnaryOperator paddedAxis) {
        List<Tensor> parameters = new ArrayList<>();
        int count = names.apply(assignment.entries().get(0).contribution()).size();
        for (int i = 0; i < count; i++) {
            int number = i;
            Function<C, String> name = contribution -> names.apply(contribution).get(number);
            parameters.add(stack(assignment, name, parameter(name), paddedAxis.applyAsInt(number), null));
        }
        return parameters;
    }

    /** Which of an assignment's contributions acts where; null if one acts everywhere. */
    <C> @Nullable Segments segmentsOf(Assignment<C> assignment, Places places) {
        return assignment.isUniform()
                ? null
                : segments(places, assignment.slots(), assignment.entries().size());
    }

    /**
     * What is dropped at one place of the model; null for nothing.
     *
     * @param where names the place
     * @param probability a contribution's
     */
    <C> @Nullable Dropout dropout(
            String where, Assignment<C> assignment, ToDoubleFunction<C> probability, Places places) {
        Training now = training;
        if (now == null
                || assignment.entries().stream()
                        .allMatch(entry -> probability.applyAsDouble(entry.contribution()) == 0)) {
            return null;
        }
        List<Object> key = new ArrayList<>(List.of(places));
        for (int g = 0; g < batch.groups().size(); g++) {
            int slot = assignment.slot(g);
            if (slot == Segments.NONE) {
                key.add(slot);
            } else {
                key.add(assignment.entries().get(slot).adapter());
                key.add(probability.applyAsDouble(assignment.entries().get(slot).contribution()));
            }
        }
        return dropouts.computeIfAbsent(List.copyOf(key), k -> draw(now, assignment, probability, places))
                .at(CounterRandom.key(0, where));
    }

    private <C> Dropout draw(Training now, Assignment<C> assignment, ToDoubleFunction<C> probability, Places places) {
        long[] keys = new long[places.size()];
        long[] thresholds = new long[places.size()];
        for (int g = 0; g < batch.groups().size(); g++) {
            int slot = assignment.slot(g);
            if (slot != Segments.NONE) {
                Entry<C> entry = assignment.entries().get(slot);
                for (int i = places.offset(g); i < places.offset(g + 1); i++) {
                    long example = batch.rows().get(places.row(i)).example();
                    keys[i] = now.key(entry.adapter().name(), example, places.token(i));
                    thresholds[i] = Dropout.threshold(probability.applyAsDouble(entry.contribution()));
                }
            }
        }
        return new Dropout(session.index(keys), session.index(thresholds), 0);
    }

    static <C> Function<Entry<C>, Tensor> parameter(Function<C, String> name) {
        return entry -> entry.adapter().parameter(name.apply(entry.contribution()));
    }

    /**
     * A value of each of an assignment's adapters, stacked, in a format; in their own if it is null.
     *
     * @param key tells the value from the adapter's others
     */
    <C> Tensor stack(
            Assignment<C> assignment,
            Function<C, String> key,
            Function<Entry<C>, Tensor> value,
            int paddedAxis,
            @Nullable DType dtype) {
        Supplier<Tensor> stack = () -> assignment.stack(
                assignment.entries().stream()
                        .map(value)
                        .map(one -> dtype == null ? one : one.cast(dtype))
                        .toList(),
                paddedAxis);
        if (kept == null || (assignment.isUniform() && dtype == null)) {
            return stack.get();
        }
        List<Object> keys = new ArrayList<>(List.of(paddedAxis, assignment.isUniform(), String.valueOf(dtype)));
        for (Entry<C> entry : assignment.entries()) {
            keys.add(entry.adapter().plan());
            keys.add(key.apply(entry.contribution()));
        }
        return kept.get(session, keys, stack);
    }
}
