package io.peftj.methods.lora;

import io.peftj.core.adapter.Contribution.DeltaFormula;
import io.peftj.core.adapter.Contribution.DeltaInput;
import io.peftj.core.tensor.Dropout;
import io.peftj.core.tensor.Tensor;
import java.util.List;

/**
 * DoRA's delta (c − 1) ⊙ Wx + c·s·BAx of A [rank, in], B [out, rank], which carries c and s, and c − 1 [out]. Dropout, where there is any, acts on x in
 * both terms.
 */
enum DoraFormula implements DeltaFormula {
    INSTANCE;

    private static final int A = 0;
    private static final int B = 1;
    private static final int GAIN = 2;

    @Override
    public Tensor apply(DeltaInput input) {
        Dropout dropout = input.dropout();
        Tensor x = dropout == null ? input.x() : input.x().dropout(dropout);
        Tensor gain = input.parameter(GAIN);
        Tensor gains = input.segments() == null ? gain : gain.repeat(input.segments(), 0);
        Tensor stretched = input.product(x).cast(gain.dtype()).times(gains).cast(x.dtype());
        return stretched.plus(x.lowRankDelta(input.parameter(A), input.parameter(B), input.segments(), null));
    }

    /** Zeros may fill up the rank: rows of A, columns of B. */
    @Override
    public int paddedAxis(int parameter) {
        return parameter == A ? 0 : parameter == B ? 1 : -1;
    }

    @Override
    public Tensor change(List<Tensor> parameters, Tensor matrix) {
        Tensor gain = parameters.get(GAIN);
        Tensor delta = parameters.get(B).matmul(parameters.get(A));
        return matrix.times(gain.reshape(gain.shape().dim(0), 1)).plus(delta);
    }
}
