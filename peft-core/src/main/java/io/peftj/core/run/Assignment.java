package io.peftj.core.run;

import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which of several alike contributions acts in which group of a batch.
 *
 * @param <C> the kind of contribution
 */
final class Assignment<C> {
    private final List<Entry<C>> entries;
    private final int[] slots;

    private Assignment(List<Entry<C>> entries, int[] slots) {
        this.entries = entries;
        this.slots = slots;
    }

    /** The distinct contributions, each with its adapter. */
    List<Entry<C>> entries() {
        return entries;
    }

    /** The entry that acts in a group, or {@link Segments#NONE}. */
    int slot(int group) {
        return slots[group];
    }

    /** {@link #slot} of all groups, as a copy. */
    int[] slots() {
        return slots.clone();
    }

    /** A contribution and the adapter it belongs to. */
    record Entry<C>(ActiveAdapter adapter, C contribution) {}

    /** What acts in one group, or null. */
    static <C> Assignment<C> of(List<@Nullable Entry<C>> ofGroup) {
        Map<Entry<C>, Integer> known = new LinkedHashMap<>();
        int[] slotOfGroup = new int[ofGroup.size()];
        for (int g = 0; g < slotOfGroup.length; g++) {
            Entry<C> entry = ofGroup.get(g);
            slotOfGroup[g] = entry == null ? Segments.NONE : known.computeIfAbsent(entry, key -> known.size());
        }
        return new Assignment<>(List.copyOf(known.keySet()), slotOfGroup);
    }

    /** Whether one contribution acts on everything, so that nothing has to be stacked. */
    boolean isUniform() {
        if (entries.size() != 1) {
            return false;
        }
        for (int slot : slots) {
            if (slot != 0) {
                return false;
            }
        }
        return true;
    }

    /**
     * Tensors one an entry, stacked along a new first axis; alone they stay as they are.
     *
     * @param paddedAxis the axis along which smaller ones are filled up with zeros, or −1 if all have one shape
     */
    Tensor stack(List<Tensor> ofEntry, int paddedAxis) {
        if (isUniform()) {
            return ofEntry.get(0);
        }
        int size = paddedAxis < 0
                ? 0
                : ofEntry.stream()
                        .mapToInt(t -> t.shape().dim(paddedAxis))
                        .max()
                        .orElseThrow();
        List<Tensor> alike = new ArrayList<>();
        for (Tensor tensor : ofEntry) {
            Tensor padded = paddedAxis < 0 ? tensor : padded(tensor, paddedAxis, size);
            int[] dims = padded.shape().dims();
            int[] stacked = new int[dims.length + 1];
            stacked[0] = 1;
            System.arraycopy(dims, 0, stacked, 1, dims.length);
            alike.add(padded.reshape(stacked));
        }
        return Tensor.concat(alike, 0);
    }

    private static Tensor padded(Tensor tensor, int axis, int size) {
        int missing = size - tensor.shape().dim(axis);
        if (missing == 0) {
            return tensor;
        }
        Tensor zeros = tensor.session().zeros(tensor.shape().with(axis, missing), tensor.dtype());
        return Tensor.concat(List.of(tensor, zeros), axis);
    }
}
