package io.peftj.methods.reft;

import io.peftj.core.adapter.Contribution.EditFormula;
import io.peftj.core.adapter.Contribution.EditInput;
import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Tensor;

/**
 * Rᵀ(Ah + b), which all of the family are once A is known: A [r, d], b [r], R [r, d], in this order. Rows of zeros change nothing, so that ranks stack.
 */
enum ReftFormula implements EditFormula {
    FAMILY;

    @Override
    public Tensor apply(EditInput input) {
        Segments segments = input.segments();
        Tensor bias = input.parameter(1);
        Tensor back = input.parameter(2).transpose();
        return segments == null
                ? input.states().linear(input.parameter(0)).plus(bias).linear(back)
                : input.states()
                        .linear(input.parameter(0), segments)
                        .plus(bias.repeat(segments, 0))
                        .linear(back, segments);
    }

    @Override
    public int paddedAxis(int parameter) {
        return 0;
    }
}
