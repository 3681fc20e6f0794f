package io.peftj.core.tensor;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One computation from its first upload to its last read: who owns results, whether operations are noted for gradients, whether to stop.
 *
 * <p>Opened inside {@link Backend#call} and confined to that thread. Closing frees everything that was made in it, after errors too.
 */
public final class Session implements AutoCloseable {
    private final Backend backend;
    private final Kernels kernels;
    private final BooleanSupplier cancelled;
    private final Thread owner = Thread.currentThread();
    private final Deque<Scope> scopes = new ArrayDeque<>();
    private final Deque<Tape> tapes = new ArrayDeque<>();
    private Deferral deferral = Deferral.NONE;
    private boolean open = true;

    private Session(Backend backend, BooleanSupplier cancelled) {
        this.backend = backend;
        this.kernels = backend.kernels();
        this.cancelled = cancelled;
        scopes.push(new Scope(this));
    }

    /** Opens a session that nothing cancels. */
    public static Session open(Backend backend) {
        return open(backend, () -> false);
    }

    /** Opens a session that asks, at every {@link #checkCancelled()}, whether to go on; from several threads if the computation has parts. */
    public static Session open(Backend backend, BooleanSupplier cancelled) {
        return new Session(backend, cancelled);
    }

    /** Opens a session for a part of this computation on the current thread, cancelled with it. */
    public Session openPart() {
        return new Session(backend, cancelled);
    }

    /** The backend it computes on. */
    public Backend backend() {
        return backend;
    }

    /**
     * Runs a computation in which the backend may put operations off and do several at once: those of a layer when the next begins,
     * the last when it ends.
     */
    public <T> T deferred(Supplier<T> body) {
        checkUsable("deferred");
        Deferral around = deferral;
        try (Deferral begun = backend.defer()) {
            deferral = begun;
            T result = body.get();
            begun.catchUp();
            return result;
        } finally {
            deferral = around;
        }
    }

    /**
     * Goes on or stops; backbones call it once a layer.
     *
     * @throws CancellationException if the computation was cancelled or its thread interrupted
     */
    public void checkCancelled() {
        deferral.catchUp();
        if (!tapes.isEmpty()) {
            tapes.element().beginLayer();
        }
        if (Thread.currentThread().isInterrupted() || cancelled.getAsBoolean()) {
            throw new CancellationException("the computation was cancelled");
        }
    }

    /** Opens a scope inside the innermost one. */
    public Scope scope() {
        checkUsable("scope");
        Scope scope = new Scope(this);
        scopes.push(scope);
        return scope;
    }

    /** Starts noting operations for gradients; close the tape to stop and to free what it saved. */
    public Tape startTape() {
        checkUsable("startTape");
        return start(new Tape(this, false));
    }

    /** Starts a tape that only finds out what a computation captures. */
    Tape startProbe() {
        return start(new Tape(this, true));
    }

    private Tape start(Tape tape) {
        tapes.push(tape);
        return tape;
    }

    /** A tensor of Java values in single precision. */
    public Tensor tensor(HostTensor values) {
        return tensor(values, DType.F32);
    }

    /** A tensor of Java values, rounded to the format. */
    public Tensor tensor(HostTensor values, DType dtype) {
        checkUsable("tensor");
        return own(kernels.upload(values.values(), values.shape(), dtype), values.shape(), dtype);
    }

    /** A double-precision tensor of Java values. */
    public Tensor tensor(double[] values, Shape shape) {
        checkUsable("tensor");
        if (shape.size() != values.length) {
            throw new IllegalArgumentException(
                    "shape " + shape + " needs " + shape.size() + " values, found " + values.length);
        }
        return own(kernels.upload(values, shape), shape, DType.F64);
    }

    /** A tensor of zeros. */
    public Tensor zeros(Shape shape, DType dtype) {
        checkUsable("zeros");
        return own(kernels.zeros(shape, dtype), shape, dtype);
    }

    /** A tensor that reads a constant's value where it lies. */
    public Tensor tensor(Constant constant) {
        checkUsable("tensor");
        return new Tensor(this, constant.buffer(), constant.shape(), constant.dtype(), constant);
    }

    /** A tensor that owns a constant's value too, so that the constant may be closed before it. */
    public Tensor own(Constant constant) {
        checkUsable("own");
        constant.buffer().retain();
        return own(constant.buffer(), constant.shape(), constant.dtype());
    }

    /** A tensor that reads the value of another session's where it lies; that session has to outlive this one. */
    public Tensor borrow(Tensor other) {
        checkUsable("borrow");
        return other.in(this);
    }

    /** Whole numbers for the backend. */
    public Index index(long... values) {
        return new Index(this, values);
    }

    /** The sum of a list of scalars or tensors of one shape. */
    public Tensor sum(List<Tensor> terms) {
        return terms.stream()
                .reduce(Tensor::plus)
                .orElseThrow(() -> new IllegalArgumentException("a sum needs at least one term"));
    }

    @Override
    public void close() {
        if (open) {
            while (!tapes.isEmpty()) {
                tapes.peek().close();
            }
            while (!scopes.isEmpty()) {
                scopes.peek().close();
            }
            open = false;
        }
    }

    // ---- for the operations of this package ----

    Kernels kernels() {
        return kernels;
    }

    @Nullable
    Tape tape() {
        return tapes.peek();
    }

    void leave(Tape tape) {
        if (tapes.peek() != tape) {
            throw new IllegalStateException("tapes are closed in the reverse order of their opening");
        }
        tapes.pop();
    }

    /** Runs without noting anything on any tape. */
    <T extends @Nullable Object> T untaped(Supplier<T> body) {
        Deque<Tape> hidden = new ArrayDeque<>(tapes);
        tapes.clear();
        try {
            return body.get();
        } finally {
            tapes.clear();
            tapes.addAll(hidden);
        }
    }

    void leave(Scope scope) {
        if (scopes.peek() != scope) {
            throw new IllegalStateException("scopes are closed in the reverse order of their opening");
        }
        scopes.pop();
    }

    Scope around(Scope scope) {
        Iterator<Scope> outward = scopes.iterator();
        while (outward.hasNext()) {
            if (outward.next() == scope && outward.hasNext()) {
                return outward.next();
            }
        }
        throw new IllegalStateException("the scope is closed, or is the session's own");
    }

    /** Wraps a new buffer, which the innermost scope owns. */
    Tensor own(Buffer buffer, Shape shape, DType dtype) {
        scopes.element().own(buffer);
        return new Tensor(this, buffer, shape, dtype, null);
    }

    /** Gives a buffer to the session's outermost scope. */
    Buffer ownForSession(Buffer buffer) {
        scopes.getLast().own(buffer);
        return buffer;
    }

    void checkUsable(String operation) {
        if (!open) {
            throw new IllegalStateException(operation + ": the session is closed");
        }
        if (Thread.currentThread() != owner) {
            throw new IllegalStateException(operation + ": the session belongs to thread " + owner.getName()
                    + ", not to " + Thread.currentThread().getName());
        }
    }
}
