package io.peftj.core.tensor;

/**
 * A frozen matrix [out, in] of the base model in whatever form a backend computes best with.
 *
 * <p>It is not a {@link Tensor}, so nobody differentiates it by accident: products with it pass gradients on to their other input only. It
 * belongs to the backbone that loaded it and is shared by all threads.
 */
public interface Weight {
    /** Number of rows: the width a product gives. */
    int outFeatures();

    /** Number of columns: the width a product takes. */
    int inFeatures();

    /** The format of the values that go in and come out. */
    DType dtype();
}
