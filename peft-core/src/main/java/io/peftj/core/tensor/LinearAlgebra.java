package io.peftj.core.tensor;

/**
 * Decompositions in double precision, for what is computed once: initial values, conversions, best approximations. Nothing here is differentiated.
 *
 * <p>All take matrices of finite numbers; others are an IllegalArgumentException.
 */
public interface LinearAlgebra {
    /**
     * A singular value decomposition A = U·diag(s)·Vᵀ of a matrix [m, n], k = min(m, n).
     *
     * @param left U [m, k] with orthonormal columns; their signs may be any
     * @param values s [k, 1], falling
     * @param right Vᵀ [k, n]
     */
    record Svd(Matrix left, Matrix values, Matrix right) {}

    /**
     * A decomposition A = Q·R of a matrix [m, n], k = min(m, n).
     *
     * @param q [m, k] with orthonormal columns; their signs may be any
     * @param r [k, n], zero below the diagonal
     */
    record Qr(Matrix q, Matrix r) {}

    /** The singular value decomposition. */
    Svd svd(Matrix a);

    /** The QR decomposition. */
    Qr qr(Matrix a);
}
