package io.peftj.core.tensor;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Vectors that rows keep between passes beside their keys and values: by name, one a slot of the cache. */
public final class SlotVectors {
    private final Map<String, Kept> byName = new HashMap<>();

    SlotVectors() {}

    /** Row i of the vectors belongs to slots(i). */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Kept(int[] slots, Constant vectors) {}

    /**
     * Keeps vectors [slots.length, …] in the place of those there were under the name.
     *
     * @param slots whose each is
     */
    public void keep(String name, int[] slots, Tensor vectors) {
        KeyValueCache.refuseGradients("keep", vectors);
        Kept before = byName.put(name, new Kept(slots.clone(), Constant.keeping(vectors)));
        if (before != null) {
            before.vectors().close();
        }
    }

    /** Whether exactly the vectors of these slots are kept, in this order. */
    public boolean isKept(String name, int... slots) {
        return Arrays.equals(kept(name).slots(), slots);
    }

    /** What is kept under a name. */
    public Tensor get(Session session, String name) {
        return session.tensor(kept(name).vectors());
    }

    /**
     * Which of the vectors belongs to a slot.
     *
     * @throws IllegalStateException if none does
     */
    public int place(String name, int slot) {
        int[] slots = kept(name).slots();
        for (int i = 0; i < slots.length; i++) {
            if (slots[i] == slot) {
                return i;
            }
        }
        throw new IllegalStateException("nothing is kept for slot " + slot + " under " + name
                + "; give the whole prompt to the first pass of a row");
    }

    private Kept kept(String name) {
        Kept found = byName.get(name);
        if (found == null) {
            throw new IllegalStateException(
                    "nothing is kept under " + name + "; give the whole prompt to the first pass of a row");
        }
        return found;
    }

    void close() {
        byName.values().forEach(kept -> kept.vectors().close());
        byName.clear();
    }
}
