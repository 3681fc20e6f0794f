package io.peftj.djl.engine;

import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Weight;

/**
 * A frozen matrix.
 *
 * @param matrix the values [out, in], row-major as in a file or, for products, laid out by columns
 * @param dtype their format
 */
record TorchWeight(TorchBuffer matrix, DType dtype) implements Weight {
    /** A weight as this backend made it. */
    static TorchWeight of(Weight weight) {
        if (weight instanceof TorchWeight torch) {
            return torch;
        }
        throw new IllegalArgumentException("a weight of " + weight.getClass().getSimpleName()
                + " belongs to another backend; make it with this backend");
    }

    @Override
    public int outFeatures() {
        return matrix.dim(0);
    }

    @Override
    public int inFeatures() {
        return matrix.dim(1);
    }
}
