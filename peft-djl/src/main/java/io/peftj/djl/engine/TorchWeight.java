package io.peftj.djl.engine;

import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Weight;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A frozen matrix, and its packed copy once that is wanted. */
final class TorchWeight implements Weight {
    private final TorchBuffer matrix;
    private final DType dtype;
    private @Nullable TorchBuffer packed;

    /**
     * A frozen matrix.
     *
     * @param matrix the values [out, in], row-major as in a file or, for products, laid out by columns
     * @param dtype their format
     */
    TorchWeight(TorchBuffer matrix, DType dtype) {
        this.matrix = matrix;
        this.dtype = dtype;
    }

    /** A weight as this backend made it. */
    static TorchWeight of(Weight weight) {
        if (weight instanceof TorchWeight torch) {
            return torch;
        }
        throw new IllegalArgumentException("a weight of " + weight.getClass().getSimpleName()
                + " belongs to another backend; make it with this backend");
    }

    /** The values [out, in]. */
    TorchBuffer matrix() {
        return matrix;
    }

    /** The packed copy, made when it is first asked for; nothing but a product can read it. */
    synchronized TorchBuffer packed(UnaryOperator<TorchBuffer> packer) {
        if (packed == null) {
            packed = packer.apply(matrix);
        }
        return packed;
    }

    /** Frees the matrix and its copy. */
    synchronized void release() {
        matrix.release();
        if (packed != null) {
            packed.release();
        }
    }

    @Override
    public int outFeatures() {
        return matrix.dim(0);
    }

    @Override
    public int inFeatures() {
        return matrix.dim(1);
    }

    @Override
    public DType dtype() {
        return dtype;
    }
}
