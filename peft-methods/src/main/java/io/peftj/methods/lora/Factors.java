package io.peftj.methods.lora;

import io.peftj.core.tensor.LinearAlgebra;
import io.peftj.core.tensor.Matrix;
import java.util.Arrays;
import java.util.List;

/**
 * A change B·A of a matrix.
 *
 * @param a [rank, in]
 * @param b [out, rank], which carries the scale
 */
record Factors(Matrix a, Matrix b) {
    int rank() {
        return a.rows();
    }

    Factors times(double weight) {
        return new Factors(a, b.times(weight));
    }

    /** The sum of several changes, whose ranks add up. */
    static Factors joined(List<Factors> blocks) {
        return blocks.stream()
                .reduce((one, two) -> new Factors(one.a.above(two.a), one.b.beside(two.b)))
                .orElseThrow();
    }

    /**
     * The change of a rank that is nearest to this one (Eckart and Young), found without forming B·A: with B = Q·R and Aᵀ = P·S it is Q·(R·Sᵀ)·Pᵀ, and
     * only the small R·Sᵀ is decomposed. Zeros fill up a rank that is higher than there is.
     */
    Factors nearest(int rank, LinearAlgebra algebra) {
        LinearAlgebra.Qr left = algebra.qr(b);
        LinearAlgebra.Qr right = algebra.qr(a.transpose());
        LinearAlgebra.Svd middle = algebra.svd(left.r().times(right.r().transpose()));
        int kept = Math.min(rank, middle.values().rows());
        double[] roots =
                Arrays.stream(middle.values().values(), 0, kept).map(Math::sqrt).toArray();
        Matrix nearA =
                middle.right().firstRows(kept).scaleRows(roots).times(right.q().transpose());
        Matrix nearB = left.q().times(middle.left().firstColumns(kept).scaleColumns(roots));
        int missing = rank - kept;
        return new Factors(
                nearA.above(Matrix.zeros(missing, a.columns())), nearB.beside(Matrix.zeros(b.rows(), missing)));
    }
}
