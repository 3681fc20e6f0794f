package io.peftj.djl.engine;

import io.peftj.core.tensor.Index;
import io.peftj.core.tensor.Segments;
import org.jspecify.annotations.Nullable;

/** Segments as kernels take them. */
final class Groups {
    private static final Groups NONE = new Groups(new long[0], 0, null, 0);

    /** Begin, end and slot of each segment. */
    final long[] table;

    /** The length of every segment if it is the same and each has a slot, else 0: such segments are one batched product. */
    final int length;

    /** The slots of the tokens where segments of one length use others than 0, 1, … in order. */
    final @Nullable Index slots;

    /** How many matrices are stacked; 0 without segments. */
    final int count;

    private Groups(long[] table, int length, @Nullable Index slots, int count) {
        this.table = table;
        this.length = length;
        this.slots = slots;
        this.count = count;
    }

    static Groups of(@Nullable Segments segments) {
        if (segments == null) {
            return NONE;
        }
        int length = segments.count() == 0 ? 0 : segments.length(0);
        boolean inOrder = segments.count() == segments.slotCount();
        for (int i = 0; i < segments.count(); i++) {
            if (segments.length(i) != length || segments.slot(i) == Segments.NONE) {
                length = 0;
            }
            inOrder &= segments.slot(i) == i;
        }
        Index slots = length == 0 || inOrder ? null : segments.slotOfToken();
        return new Groups(segments.table().values(), length, slots, segments.slotCount());
    }
}
