package io.peftj.testkit.reference;

import io.peftj.core.tensor.Buffer;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.MemoryMeter;
import io.peftj.core.tensor.Shape;
import java.util.Arrays;

/** Doubles in Java's heap, or a view of a range of another buffer's. */
final class ReferenceBuffer extends Buffer {
    private final double[] storage;
    private final int offset;
    private final Shape shape;
    private final DType dtype;

    ReferenceBuffer(MemoryMeter meter, Array array, DType dtype) {
        super(meter, (long) Double.BYTES * array.size());
        this.storage = array.values();
        this.offset = 0;
        this.shape = array.shape();
        this.dtype = dtype;
    }

    /** The elements from an offset on, under another shape. */
    ReferenceBuffer(ReferenceBuffer viewed, int offset, Shape shape) {
        super(viewed);
        this.storage = viewed.storage;
        this.offset = viewed.offset + offset;
        this.shape = shape;
        this.dtype = viewed.dtype;
    }

    Shape shape() {
        return shape;
    }

    DType dtype() {
        return dtype;
    }

    /** The elements, for reading. */
    Array array() {
        checkAlive();
        int size = Math.toIntExact(shape.size());
        boolean whole = offset == 0 && size == storage.length;
        return new Array(shape, whole ? storage : Arrays.copyOfRange(storage, offset, offset + size));
    }

    /** Writes an element in place. */
    void set(int i, double value) {
        checkAlive();
        storage[offset + i] = value;
    }

    /** Native memory would be gone, so a mistake must show here too. */
    private void checkAlive() {
        if (!isAlive()) {
            throw new IllegalStateException("a kernel was given a freed buffer of shape " + shape);
        }
    }

    @Override
    protected void free() {
        // The garbage collector frees doubles.
    }
}
