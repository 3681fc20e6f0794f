package io.peftj.core.tensor;

import java.util.concurrent.atomic.AtomicLong;

/** Counts the bytes of a backend's live buffers, so that tests can assert what every step gives back. */
public final class MemoryMeter {
    private final AtomicLong live = new AtomicLong();
    private final AtomicLong peak = new AtomicLong();

    /** Bytes alive now. */
    public long liveBytes() {
        return live.get();
    }

    /** The most bytes alive at once since the start or the last {@link #resetPeak()}. */
    public long peakBytes() {
        return peak.get();
    }

    /** Starts counting the peak from what is alive now. */
    public void resetPeak() {
        peak.set(live.get());
    }

    void add(long bytes) {
        long now = live.addAndGet(bytes);
        peak.accumulateAndGet(now, Math::max);
    }

    void remove(long bytes) {
        live.addAndGet(-bytes);
    }
}
