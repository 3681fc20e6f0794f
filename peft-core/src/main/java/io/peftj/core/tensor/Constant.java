package io.peftj.core.tensor;

/**
 * A value that outlives sessions: a norm's weight, a bias, a parameter that is being trained. Whoever makes it closes it.
 *
 * <p>Only {@link Updates} change it, and its version says how often; the tape refuses to differentiate with a value that has changed since.
 */
public final class Constant implements AutoCloseable {
    private final Buffer buffer;
    private final Shape shape;
    private final DType dtype;
    private volatile long version;

    private Constant(Buffer buffer, Shape shape, DType dtype) {
        this.buffer = buffer;
        this.shape = shape;
        this.dtype = dtype;
    }

    /** Takes over a buffer. */
    public static Constant owning(Buffer buffer, Shape shape, DType dtype) {
        return new Constant(buffer, shape, dtype);
    }

    /** Uploads values. Call it on a thread of the backend. */
    public static Constant of(Backend backend, HostTensor values, DType dtype) {
        return new Constant(backend.kernels().upload(values.values(), values.shape(), dtype), values.shape(), dtype);
    }

    /** Copies a session's tensor into a constant, so that it outlives the session. */
    public static Constant keeping(Tensor tensor) {
        Buffer buffer = tensor.session().kernels().copy(tensor.buffer());
        return new Constant(buffer, tensor.shape(), tensor.dtype());
    }

    /** Becomes an owner of a tensor's value, so that it outlives the session and can be read in others; nothing is copied. */
    public static Constant sharing(Tensor tensor) {
        tensor.checkUsable("sharing");
        tensor.buffer().retain();
        return new Constant(tensor.buffer(), tensor.shape(), tensor.dtype());
    }

    /** The value in the backend's memory. */
    public Buffer buffer() {
        return buffer;
    }

    /** Sizes of the axes. */
    public Shape shape() {
        return shape;
    }

    /** Number format. */
    public DType dtype() {
        return dtype;
    }

    /** How often it was changed. */
    public long version() {
        return version;
    }

    /** Notes a change; for {@link Updates} alone. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // one trainer writes, others only read
    public void changed() {
        version++;
    }

    @Override
    public void close() {
        buffer.release();
    }
}
