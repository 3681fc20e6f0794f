package io.peftj.methods.bottleneck;

import io.peftj.core.adapter.Contribution.SublayerFormula;
import io.peftj.core.adapter.Contribution.SublayerInput;
import io.peftj.core.tensor.Activation;
import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * U f(D x + b) + c of D [rank, width], b [rank], U [width, rank] and c [width], of which U and c carry the scale. Where no slot acts all four are zero,
 * and so is f(0).
 */
record BottleneckFormula(Activation activation) implements SublayerFormula {
    static final int DOWN = 0;
    static final int DOWN_BIAS = 1;
    static final int UP = 2;
    static final int UP_BIAS = 3;

    @Override
    public Tensor apply(SublayerInput input) {
        Segments which = input.segments();
        Tensor x = input.x().cast(input.parameter(DOWN).dtype());
        Tensor low = layer(x, input.parameter(DOWN), input.parameter(DOWN_BIAS), which);
        Tensor high = layer(low.activation(activation), input.parameter(UP), input.parameter(UP_BIAS), which);
        return high.cast(input.x().dtype());
    }

    private static Tensor layer(Tensor x, Tensor weight, Tensor bias, @Nullable Segments which) {
        return which == null
                ? x.linear(weight).plus(bias)
                : x.linear(weight, which).plus(bias.repeat(which, 0));
    }

    /** Zeros may fill up the rank: rows of D with their biases, columns of U. */
    @Override
    public int paddedAxis(int parameter) {
        return switch (parameter) {
            case DOWN, DOWN_BIAS -> 0;
            case UP -> 1;
            default -> -1;
        };
    }
}
