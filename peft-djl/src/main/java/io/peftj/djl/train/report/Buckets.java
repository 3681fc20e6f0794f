package io.peftj.djl.train.report;

import java.util.ArrayList;
import java.util.List;

/**
 * All steps of a run in at most {@value #MOST} buckets of equal width: one step each at first, twice as many whenever they are full. No extreme is ever lost.
 */
final class Buckets {
    static final int MOST = 480;

    private final List<Bucket> all = new ArrayList<>();
    private long width = 1;

    /** Buckets in their order, the last one perhaps not full yet. */
    List<Bucket> all() {
        return List.copyOf(all);
    }

    /** Steps of a full bucket. */
    long width() {
        return width;
    }

    /** The last step that was added; 0 for none. */
    long lastStep() {
        return all.isEmpty() ? 0 : all.get(all.size() - 1).last();
    }

    /** Adds a bucket of the width that buckets have, or of one step. */
    void add(Bucket next) {
        int end = all.size() - 1;
        if (end >= 0 && next.last() - all.get(end).first() < width) {
            all.set(end, all.get(end).and(next));
            return;
        }
        if (all.size() == MOST) {
            widen();
            add(next);
        } else {
            all.add(next);
        }
    }

    /** Takes over buckets that were written by another run. */
    void restore(long formerWidth, List<Bucket> former) {
        width = formerWidth;
        all.addAll(former);
    }

    private void widen() {
        List<Bucket> wider = new ArrayList<>();
        for (int i = 0; i < all.size(); i += 2) {
            wider.add(i + 1 < all.size() ? all.get(i).and(all.get(i + 1)) : all.get(i));
        }
        all.clear();
        all.addAll(wider);
        width *= 2;
    }
}
