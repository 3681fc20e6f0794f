package io.peftj.core.tensor;

import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A value in a backend's memory, freed when its last owner lets go.
 *
 * <p>Owners are scopes, tapes, constants and views; each holds one count. A new buffer has one owner: whoever asked for it.
 */
public abstract class Buffer {
    private final AtomicInteger owners = new AtomicInteger(1);
    private final @Nullable MemoryMeter meter;
    private final @Nullable Buffer root;
    private final long bytes;

    /** A buffer with storage of its own. */
    protected Buffer(MemoryMeter meter, long bytes) {
        this.meter = meter;
        this.root = null;
        this.bytes = bytes;
        meter.add(bytes);
    }

    /** A view of another buffer's storage, which stays alive as long as the view. */
    protected Buffer(Buffer viewed) {
        this.meter = null;
        this.root = viewed.storage();
        this.bytes = 0;
        this.root.retain();
    }

    /** The buffer that owns the storage: this one, or the one it is a view of. */
    public final Buffer storage() {
        return root == null ? this : root;
    }

    /** Bytes of the storage this buffer keeps alive. */
    public final long storageBytes() {
        return storage().bytes;
    }

    /** Adds an owner. */
    public final void retain() {
        if (owners.getAndUpdate(n -> n == 0 ? 0 : n + 1) == 0) {
            throw new IllegalStateException("a freed buffer was given a new owner");
        }
    }

    /** Takes an owner away and frees the buffer if it was the last. */
    public final void release() {
        int left = owners.decrementAndGet();
        if (left == 0) {
            free();
            if (root != null) {
                root.release();
            } else if (meter != null) {
                meter.remove(bytes);
            }
        } else if (left < 0) {
            throw new IllegalStateException("a buffer was released more often than it had owners");
        }
    }

    /** Whether it still has an owner. */
    public final boolean isAlive() {
        return owners.get() > 0;
    }

    /** Gives the memory back; called once. */
    protected abstract void free();
}
