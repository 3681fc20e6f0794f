package io.peftj.djl.engine;

import ai.djl.pytorch.jni.IValue;
import io.peftj.core.tensor.Buffer;
import io.peftj.core.tensor.MemoryMeter;
import org.jspecify.annotations.Nullable;

/** A counted reference to a tensor of libtorch's, with its shape, format and strides as Java knows them. */
final class TorchBuffer extends Buffer {
    private @Nullable IValue value;
    private @Nullable Recording source;
    private final Form form;
    private final long offset;
    private long @Nullable [] strides;

    /** A tensor with storage of its own that is still to be {@link #compute computed}; the strides may be unknown. */
    TorchBuffer(MemoryMeter meter, Form form, long @Nullable [] strides) {
        super(meter, form.bytes());
        this.form = form;
        this.offset = 0;
        this.strides = strides;
    }

    /** A view of another buffer's storage, still to be made, {@code offset} elements from the storage's first. */
    TorchBuffer(TorchBuffer viewed, Form form, long[] strides, long offset) {
        super(viewed);
        this.form = form;
        this.offset = offset;
        this.strides = strides;
    }

    /** A buffer as this backend made it. */
    static TorchBuffer of(Buffer buffer) {
        if (buffer instanceof TorchBuffer torch) {
            return torch;
        }
        throw new IllegalArgumentException("a buffer of " + buffer.getClass().getSimpleName()
                + " belongs to another backend; make it with this backend's kernels");
    }

    /** Its tensor, which is computed now if it was put off. */
    IValue value() {
        if (value == null && source != null) {
            source.catchUp();
        }
        if (value == null) {
            throw new IllegalStateException(
                    "the buffer " + this + " was never computed, since something before it failed");
        }
        return value;
    }

    /** Tells it who will compute it when it is asked for its tensor. */
    void waitFor(Recording recording) {
        source = recording;
    }

    /** Takes over what was computed for it. */
    void compute(IValue computed) {
        value = computed;
        source = null;
    }

    /** Gives a tensor back that came after the last owner had let go. */
    void discard() {
        if (value != null) {
            value.close();
            value = null;
        }
    }

    /** Tells it that nothing will be computed for it. */
    void forget() {
        source = null;
    }

    Form form() {
        return form;
    }

    ScalarType type() {
        return form.type();
    }

    int rank() {
        return form.shape().rank();
    }

    int dim(int axis) {
        return form.shape().dim(axis);
    }

    /** Where the first element lies in the storage, in elements. */
    long offset() {
        return offset;
    }

    /** The strides if they are known. */
    long @Nullable [] knownStrides() {
        return strides;
    }

    void learnStrides(long[] learned) {
        strides = learned;
    }

    /** Whether the values are known to lie in row-major order, gaps or not. */
    boolean isKnownRowMajor() {
        return strides != null && Strides.areRowMajor(form.shape(), strides);
    }

    /** Whether the values are known to lie row-major without gaps. */
    boolean isKnownContiguous() {
        return strides != null && Strides.areContiguous(form.shape(), strides);
    }

    @Override
    protected void free() {
        if (value != null) {
            value.close();
        }
    }

    @Override
    public String toString() {
        return form.toString();
    }
}
