package io.peftj.core.tensor;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Consecutive ranges of a tensor's first axis, each with a slot: which of several stacked parameters acts on it, or none.
 *
 * <p>Batch rows, adapter groups and pooled spans are all segments. Segment s covers [offset(s), offset(s + 1)) and uses the parameter at index
 * slot(s) of a stack [slots, …]; slot {@link #NONE} means that nothing acts there.
 */
public final class Segments {
    /** The slot of a segment on which no parameter acts. */
    public static final int NONE = -1;

    private final Session session;
    private final int[] offsets;
    private final int[] slots;
    private final int slotCount;
    private @Nullable Index table;
    private @Nullable Index slotOfToken;

    private Segments(Session session, int[] offsets, int[] slots, int slotCount) {
        this.session = session;
        this.offsets = offsets;
        this.slots = slots;
        this.slotCount = slotCount;
    }

    /** Ranges that each have a slot of their own, in order. */
    public static Segments of(Session session, int... offsets) {
        int[] slots = new int[offsets.length - 1];
        Arrays.setAll(slots, i -> i);
        return of(session, offsets, slots, slots.length);
    }

    /**
     * Ranges with given slots.
     *
     * @param offsets where each range begins, and at the end the total; not falling, the first 0
     * @param slots the stacked parameter of each range, or {@link #NONE}
     * @param slotCount how many parameters are stacked
     * @throws IllegalArgumentException if offsets fall or a slot is out of range
     */
    public static Segments of(Session session, int[] offsets, int[] slots, int slotCount) {
        if (offsets.length != slots.length + 1 || offsets[0] != 0) {
            throw new IllegalArgumentException(
                    "segments need offsets from 0 and one slot fewer than offsets, found offsets "
                            + Arrays.toString(offsets) + " and slots " + Arrays.toString(slots));
        }
        for (int i = 0; i < slots.length; i++) {
            if (offsets[i] > offsets[i + 1] || slots[i] < NONE || slots[i] >= slotCount) {
                throw new IllegalArgumentException("segment " + i + " runs from " + offsets[i] + " to " + offsets[i + 1]
                        + " with slot " + slots[i] + " of " + slotCount);
            }
        }
        return new Segments(session, offsets.clone(), slots.clone(), slotCount);
    }

    /** Number of ranges. */
    public int count() {
        return slots.length;
    }

    /** Number of stacked parameters that the slots choose from. */
    public int slotCount() {
        return slotCount;
    }

    /** Where range i begins; {@code offset(count())} is the total. */
    public int offset(int i) {
        return offsets[i];
    }

    /** The length of range i. */
    public int length(int i) {
        return offsets[i + 1] - offsets[i];
    }

    /** The slot of range i, or {@link #NONE}. */
    public int slot(int i) {
        return slots[i];
    }

    /** Length of the axis that the ranges cover. */
    public int total() {
        return offsets[offsets.length - 1];
    }

    /** Whether some range has no slot. */
    public boolean hasGaps() {
        return Arrays.stream(slots).anyMatch(s -> s == NONE);
    }

    /** The same ranges, each with a slot of its own. */
    public Segments withOwnSlots() {
        return of(session, offsets);
    }

    /** The ranges as begin, end, slot triples in one index. */
    public Index table() {
        if (table == null) {
            long[] triples = new long[3 * slots.length];
            for (int i = 0; i < slots.length; i++) {
                triples[3 * i] = offsets[i];
                triples[3 * i + 1] = offsets[i + 1];
                triples[3 * i + 2] = slots[i];
            }
            table = session.index(triples);
        }
        return table;
    }

    /** The slot of every place on the axis; places without one get {@code slotCount}. */
    public Index slotOfToken() {
        if (slotOfToken == null) {
            long[] of = new long[total()];
            for (int i = 0; i < slots.length; i++) {
                Arrays.fill(of, offsets[i], offsets[i + 1], slots[i] == NONE ? slotCount : slots[i]);
            }
            slotOfToken = session.index(of);
        }
        return slotOfToken;
    }
}
