package io.peftj.methods.lora;

import io.peftj.core.adapter.Contribution.DeltaFormula;
import io.peftj.core.adapter.Contribution.DeltaInput;
import io.peftj.core.tensor.Tensor;
import java.util.List;

/** The delta B·A·x of A [rank, in] and B [out, rank], which carries the scale; one instance, so that all adapters' deltas are one product. */
enum LoraFormula implements DeltaFormula {
    INSTANCE;

    private static final int A = 0;
    private static final int B = 1;

    @Override
    public Tensor apply(DeltaInput input) {
        return input.x().lowRankDelta(input.parameter(A), input.parameter(B), input.segments(), input.dropout());
    }

    /** Zeros may fill up the rank: rows of A, columns of B. */
    @Override
    public int paddedAxis(int parameter) {
        return parameter == A ? 0 : 1;
    }

    @Override
    public Tensor change(List<Tensor> parameters, Tensor matrix) {
        return parameters.get(B).matmul(parameters.get(A));
    }
}
