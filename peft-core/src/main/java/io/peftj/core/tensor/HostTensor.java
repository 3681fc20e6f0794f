package io.peftj.core.tensor;

import java.util.List;

/**
 * Single-precision values in Java's memory, row-major: how adapters hold their parameters, and how values enter and leave a backend.
 *
 * <p>The array is shared, not copied; whoever makes a HostTensor hands the array over and must not write to it again.
 */
public final class HostTensor {
    private final Shape shape;
    private final float[] values;

    private HostTensor(Shape shape, float[] values) {
        this.shape = shape;
        this.values = values;
    }

    /**
     * Wraps an array.
     *
     * @throws IllegalArgumentException if the array's length is not the shape's number of elements
     */
    public static HostTensor of(Shape shape, float... values) {
        if (shape.size() != values.length) {
            throw new IllegalArgumentException("shape " + shape + " has " + shape.size() + " elements, but "
                    + values.length + " values were given");
        }
        return new HostTensor(shape, values);
    }

    /** Numbers in a row [values.size()]. */
    public static HostTensor vector(List<? extends Number> values) {
        float[] array = new float[values.size()];
        for (int i = 0; i < array.length; i++) {
            array[i] = values.get(i).floatValue();
        }
        return new HostTensor(Shape.of(array.length), array);
    }

    /** A tensor whose elements all have one value. */
    public static HostTensor filled(Shape shape, float value) {
        float[] values = new float[Math.toIntExact(shape.size())];
        java.util.Arrays.fill(values, value);
        return new HostTensor(shape, values);
    }

    /** The sizes of the axes. */
    public Shape shape() {
        return shape;
    }

    /** The elements, row-major: the array itself, not to be written to. */
    public float[] values() {
        return values;
    }

    /** The same elements under another shape of as many. */
    public HostTensor reshape(Shape other) {
        return of(other, values);
    }

    /** A matrix with its two axes exchanged. */
    public HostTensor transposed() {
        int rows = shape.dim(0);
        int columns = shape.dim(1);
        float[] turned = new float[values.length];
        // By blocks, so that neither side is read with a stride that misses the cache at every step.
        int block = 32;
        for (int r0 = 0; r0 < rows; r0 += block) {
            for (int c0 = 0; c0 < columns; c0 += block) {
                for (int r = r0; r < Math.min(rows, r0 + block); r++) {
                    for (int c = c0; c < Math.min(columns, c0 + block); c++) {
                        turned[c * rows + r] = values[r * columns + c];
                    }
                }
            }
        }
        return of(Shape.of(columns, rows), turned);
    }

    @Override
    public String toString() {
        return "HostTensor" + shape;
    }
}
