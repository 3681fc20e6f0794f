package io.peftj.core.tensor;

import java.util.Arrays;

/** The sizes of a tensor's axes, outermost first; a scalar has none. */
public final class Shape {
    /** The shape of a scalar. */
    public static final Shape SCALAR = new Shape(new int[0]);

    private final int[] dims;

    private Shape(int[] dims) {
        this.dims = dims;
    }

    /**
     * Makes a shape.
     *
     * @throws IllegalArgumentException if a size is negative or the number of elements overflows a long
     */
    public static Shape of(int... dims) {
        long size = 1;
        for (int dim : dims) {
            if (dim < 0) {
                throw new IllegalArgumentException("shape " + Arrays.toString(dims) + " has a negative size");
            }
            size = Math.multiplyExact(size, (long) dim);
        }
        return dims.length == 0 ? SCALAR : new Shape(dims.clone());
    }

    /** Number of axes. */
    public int rank() {
        return dims.length;
    }

    /** The size of an axis; a negative axis counts from the last one, which is -1. */
    public int dim(int axis) {
        return dims[axis(axis)];
    }

    /** The axis counted from the front, for one that may count from the back. */
    public int axis(int axis) {
        int at = axis < 0 ? dims.length + axis : axis;
        if (at < 0 || at >= dims.length) {
            throw new IllegalArgumentException("axis " + axis + " does not exist in shape " + this);
        }
        return at;
    }

    /** Number of elements. */
    public long size() {
        long size = 1;
        for (int dim : dims) {
            size *= dim;
        }
        return size;
    }

    /** The sizes, as a copy. */
    public int[] dims() {
        return dims.clone();
    }

    /** This shape with one axis of another size. */
    public Shape with(int axis, int size) {
        int[] changed = dims.clone();
        changed[axis(axis)] = size;
        return of(changed);
    }

    /** This shape without one axis. */
    public Shape without(int axis) {
        int at = axis(axis);
        int[] fewer = new int[dims.length - 1];
        System.arraycopy(dims, 0, fewer, 0, at);
        System.arraycopy(dims, at + 1, fewer, at, fewer.length - at);
        return of(fewer);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape shape && Arrays.equals(dims, shape.dims);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(dims);
    }

    @Override
    public String toString() {
        return Arrays.toString(dims);
    }
}
