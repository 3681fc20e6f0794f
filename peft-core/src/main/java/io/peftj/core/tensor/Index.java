package io.peftj.core.tensor;

import org.jspecify.annotations.Nullable;

/**
 * Whole numbers made in Java: token ids, positions, offsets, random keys. Known to the host and, once used, to the backend.
 *
 * <p>Belongs to the session that made it.
 */
public final class Index {
    private final Session session;
    private final long[] values;
    private @Nullable Buffer buffer;

    Index(Session session, long[] values) {
        this.session = session;
        this.values = values;
    }

    /** Number of entries. */
    public int size() {
        return values.length;
    }

    /** An entry. */
    public long get(int i) {
        return values[i];
    }

    /** The entries: the array itself, not to be written to. */
    public long[] values() {
        return values;
    }

    /** The entries in the backend's memory, [size] int64; uploaded at the first call. */
    public Buffer buffer() {
        if (buffer == null || !buffer.isAlive()) {
            buffer = session.ownForSession(session.kernels().uploadIndex(values));
        }
        return buffer;
    }
}
