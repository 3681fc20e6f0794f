package io.peftj.testkit.reference;

import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Weight;

/** A frozen matrix [out, in], dense. */
record ReferenceWeight(ReferenceBuffer buffer) implements Weight {
    /** The weight as this backend made it. */
    static ReferenceWeight of(Weight weight) {
        if (weight instanceof ReferenceWeight known) {
            return known;
        }
        throw new IllegalArgumentException("the reference backend was given a "
                + weight.getClass().getSimpleName() + ", which another backend made");
    }

    Array array() {
        return buffer.array();
    }

    @Override
    public int outFeatures() {
        return buffer.shape().dim(0);
    }

    @Override
    public int inFeatures() {
        return buffer.shape().dim(1);
    }

    @Override
    public DType dtype() {
        return buffer.dtype();
    }
}
