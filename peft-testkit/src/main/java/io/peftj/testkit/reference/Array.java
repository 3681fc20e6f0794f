package io.peftj.testkit.reference;

import io.peftj.core.tensor.Shape;

/** Values in row-major order under a shape: what the reference's formulas take and give. Formulas write only arrays that they made. */
final class Array {
    private final Shape shape;
    private final double[] values;

    Array(Shape shape, double[] values) {
        this.shape = shape;
        this.values = values;
    }

    static Array zeros(Shape shape) {
        return new Array(shape, new double[Math.toIntExact(shape.size())]);
    }

    static Array zeros(int... dims) {
        return zeros(Shape.of(dims));
    }

    /** An array of one element. */
    static Array scalar(double value) {
        return new Array(Shape.SCALAR, new double[] {value});
    }

    /** The sizes of the axes. */
    Shape shape() {
        return shape;
    }

    /** The elements: the array itself. */
    double[] values() {
        return values;
    }

    /** The size of an axis. */
    int dim(int axis) {
        return shape.dim(axis);
    }

    int size() {
        return values.length;
    }

    /** Product of the sizes before an axis. */
    int outer(int axis) {
        int product = 1;
        for (int i = 0; i < shape.axis(axis); i++) {
            product *= shape.dim(i);
        }
        return product;
    }

    /** Product of the sizes after an axis: how far apart its neighbours are. */
    int inner(int axis) {
        int product = 1;
        for (int i = shape.axis(axis) + 1; i < shape.rank(); i++) {
            product *= shape.dim(i);
        }
        return product;
    }
}
