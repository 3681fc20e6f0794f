package io.peftj.core.tensor;

import java.util.ArrayList;
import java.util.List;

/**
 * Owns the results of the operations that run while it is a session's innermost scope, and frees them when closed.
 *
 * <p>A layer runs in a scope of its own and {@link #keep keeps} its result; what the tape saved lives on with the tape.
 */
public final class Scope implements AutoCloseable {
    private final Session session;
    private final List<Buffer> owned = new ArrayList<>();

    Scope(Session session) {
        this.session = session;
    }

    void own(Buffer buffer) {
        owned.add(buffer);
    }

    /** Lets a tensor outlive this scope: the scope around it owns it too. */
    public Tensor keep(Tensor tensor) {
        Scope around = session.around(this);
        tensor.buffer().retain();
        around.own(tensor.buffer());
        return tensor;
    }

    /**
     * Lets a tensor outlive this scope in the place of another, which the scope around gives up: so a chain of layers holds one hidden state at a
     * time. What a tape saved stays with the tape.
     */
    public Tensor keepInPlaceOf(Tensor previous, Tensor tensor) {
        keep(tensor);
        session.around(this).disown(previous.buffer());
        return tensor;
    }

    private void disown(Buffer buffer) {
        int at = owned.lastIndexOf(buffer);
        if (at >= 0) {
            owned.remove(at);
            buffer.release();
        }
    }

    @Override
    public void close() {
        session.leave(this);
        owned.forEach(Buffer::release);
        owned.clear();
    }
}
