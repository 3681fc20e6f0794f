package io.peftj.core.run;

import io.peftj.core.adapter.Contribution.Substitute;
import io.peftj.core.run.Assignment.Entry;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** Parameters of the base that adapters replace by their own: of several in a group, the last adapter's counts. */
final class Substitutions {
    private final Session session;
    private final Batch batch;
    private final Acting acting;

    Substitutions(Session session, Batch batch, Acting acting) {
        this.session = session;
        this.batch = batch;
        this.acting = acting;
    }

    /** Whether any group replaces a parameter. */
    boolean any(String baseParameter) {
        return acting.any(adapter -> adapter.plan().substitute(baseParameter) != null);
    }

    /** What replaces a parameter in a group; null if the base's own is used. */
    @Nullable
    Tensor of(String baseParameter, int group) {
        Entry<Substitute> found = find(baseParameter, group);
        return found == null ? null : value(found);
    }

    /** The base's vector, its replacement, or where groups differ one row a place; null if there is none. */
    @Nullable
    Tensor vector(String name, @Nullable Tensor base, Places places) {
        if (!any(name)) {
            return base;
        }
        List<@Nullable Tensor> replacements = new ArrayList<>();
        for (int g = 0; g < batch.groups().size(); g++) {
            replacements.add(of(name, g));
        }
        Tensor first =
                replacements.stream().filter(Objects::nonNull).findFirst().orElseThrow();
        if (replacements.stream().allMatch(replacement -> replacement == first)) {
            return first;
        }
        int width = first.shape().dim(0);
        // Where the base has none, as BitFit's biases of layers without, the others' is zero.
        Tensor own = base == null ? session.zeros(first.shape(), DType.F32) : base.cast(DType.F32);
        Tensor stacked = Tensor.concat(
                replacements.stream()
                        .map(replacement -> (replacement == null ? own : replacement).reshape(1, width))
                        .toList(),
                0);
        int[] slots = new int[replacements.size()];
        Arrays.setAll(slots, i -> i);
        return stacked.repeat(acting.segments(places, slots, slots.length), 0);
    }

    /**
     * Computes neighbouring groups with one replacement together, and joins the parts.
     *
     * @param part of the replacement, null where the base's own is used, and the groups' places
     */
    Tensor apart(String name, Places places, BiFunction<@Nullable Tensor, Places.Range, Tensor> part) {
        List<@Nullable Entry<Substitute>> ofGroup = new ArrayList<>();
        for (int g = 0; g < batch.groups().size(); g++) {
            ofGroup.add(find(name, g));
        }
        return places.byGroup(ofGroup, (entry, range) -> part.apply(entry == null ? null : value(entry), range));
    }

    private @Nullable Entry<Substitute> find(String baseParameter, int group) {
        Entry<Substitute> found = null;
        for (ActiveAdapter adapter : batch.groups().get(group).adapters()) {
            Substitute substitute = adapter.plan().substitute(baseParameter);
            if (substitute != null) {
                found = new Entry<>(adapter, substitute);
            }
        }
        return found;
    }

    private static Tensor value(Entry<Substitute> entry) {
        Tensor value = entry.adapter().parameter(entry.contribution().replacement());
        return entry.contribution().transposed() ? value.transpose() : value;
    }
}
