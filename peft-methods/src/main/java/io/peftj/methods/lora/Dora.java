package io.peftj.methods.lora;

import io.peftj.core.adapter.BaseValues;
import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.Activation;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Matrix;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;

/**
 * DoRA (arXiv 2402.09353): the rows of W + BA, with the scale in B, get the trained lengths m, so the product is c ⊙ (Wx + BAx), c = m / ‖W + BA‖.
 *
 * <p>The norm is a constant for gradients (section 4.3 of the paper), and W + BA is never formed: by row, ‖W + BA‖² = ‖W‖² + 2·Σ (WAᵀ ∘ B) +
 * Σ (BAAᵀ ∘ B).
 */
final class Dora {
    /** What keeps the square of a row's norm above zero: rows of zeros then stay zeros. */
    private static final double SMALLEST_SQUARE = 1e-30;

    private Dora() {}

    /**
     * c [out].
     *
     * @param a [rank, in]
     * @param b [out, rank], scaled
     * @param magnitude m [out]
     */
    static Tensor scale(Site site, Tensor a, Tensor b, Tensor magnitude, DeriveContext context) {
        Tensor square = square(site, a.detach(), b.detach(), context);
        Tensor norm =
                square.activation(Activation.RELU).affine(1, SMALLEST_SQUARE).sqrt();
        return magnitude.dividedBy(context.constant(site.name() + ".norm", norm));
    }

    private static Tensor square(Site site, Tensor a, Tensor b, DeriveContext context) {
        Weight weight = context.weight(site.weightName());
        Tensor ofBase = a.session().tensor(squares(site.weightName(), context));
        Tensor wa = a.cast(weight.dtype()).linear(weight, null).cast(DType.F32).transpose(); // [out, rank]
        Tensor mixed = wa.times(b).sum(1);
        Tensor own = b.matmul(a.matmul(a.transpose())).times(b).sum(1);
        return ofBase.plus(mixed.affine(2, 0)).plus(own);
    }

    private static HostTensor squares(String weight, BaseValues values) {
        return values.once("squares of the rows of " + weight, () -> {
            double[] squares = squares(values.base(weight));
            return Matrix.of(squares.length, 1, squares).toHost().reshape(Shape.of(squares.length));
        });
    }

    /** The rows' squared lengths. */
    private static double[] squares(HostTensor matrix) {
        int width = matrix.shape().dim(1);
        double[] squares = new double[matrix.shape().dim(0)];
        for (int row = 0; row < squares.length; row++) {
            for (int i = row * width; i < (row + 1) * width; i++) {
                squares[row] += (double) matrix.values()[i] * matrix.values()[i];
            }
        }
        return squares;
    }

    /** The rows' lengths: those of W + s·BA are the magnitude that changes nothing at first. */
    static HostTensor lengths(HostTensor matrix) {
        double[] squares = squares(matrix);
        float[] lengths = new float[squares.length];
        for (int row = 0; row < lengths.length; row++) {
            lengths[row] = (float) Math.sqrt(squares[row]);
        }
        return HostTensor.of(Shape.of(lengths.length), lengths);
    }
}
