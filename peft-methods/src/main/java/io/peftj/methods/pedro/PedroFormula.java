package io.peftj.methods.pedro;

import io.peftj.core.adapter.Contribution.PromptFormula;
import io.peftj.core.adapter.Contribution.PromptInput;
import io.peftj.core.adapter.Contribution.Ranged;
import io.peftj.core.tensor.Kernels.Reduction;
import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * 1 + W_up·Ra(W_down·norm(pool(H))). Parameters: W_down [r, d], W_up [outputs, r], then a rational function's numerator and denominator, then attention
 * pooling's w [1, d].
 *
 * @param pooling pool
 * @param norm whether there is a norm: RMS, without parameters
 * @param activation Ra
 */
record PedroFormula(PromptPooling pooling, boolean norm, PedroActivation activation) implements PromptFormula {
    private static final double EPS = 1e-6;

    @Override
    public Tensor apply(PromptInput input) {
        Tensor inner = activate(inner(input), input);
        return linear(inner, input.parameter(1), input.segments()).affine(1, 1);
    }

    /** z = W_down·norm(pool(H)) [rows, r]. */
    private Tensor inner(PromptInput input) {
        Tensor pooled = pool(input);
        Tensor normed = norm ? pooled.rmsNorm(null, EPS) : pooled;
        return linear(normed, input.parameter(0), input.segments());
    }

    /** z, where a rational function reads it: outside what it was fitted on it runs away. */
    @Override
    public @Nullable Ranged ranged(PromptInput input) {
        return activation instanceof PedroActivation.Rational ? new Ranged(inner(input), RationalStart.BOUND) : null;
    }

    /** [rows, d]. */
    private Tensor pool(PromptInput input) {
        return switch (pooling) {
            case LAST -> input.last();
            case FIRST -> input.first();
            case MEAN -> input.tokens().segmentReduce(input.rows(), Reduction.MEAN);
            case MAX -> input.tokens().segmentReduce(input.rows(), Reduction.MAX);
            case ATTENTION -> {
                Tensor tokens = input.tokens();
                int w = activation instanceof PedroActivation.Rational ? 4 : 2;
                Tensor weights = linear(tokens, input.parameter(w), input.tokenSegments())
                        .segmentSoftmax(input.rows()); // [tokens, 1]
                yield tokens.times(weights).segmentReduce(input.rows(), Reduction.SUM);
            }
        };
    }

    private Tensor activate(Tensor z, PromptInput input) {
        if (activation instanceof PedroActivation.Fixed function) {
            return function.apply(z);
        }
        List<Tensor> a = coefficients(input.parameter(2), input.segments());
        List<Tensor> b = coefficients(input.parameter(3), input.segments());
        Tensor numerator = polynomial(a, z).plus(a.get(0));
        return numerator.dividedBy(polynomial(prepended(b), z).abs().affine(1, 1));
    }

    /** Σ cᵢzⁱ for i from 1 on, by Horner's rule; c₀ is not read. */
    private static Tensor polynomial(List<Tensor> c, Tensor z) {
        Tensor sum = z.times(c.get(c.size() - 1));
        for (int i = c.size() - 2; i > 0; i--) {
            sum = sum.plus(c.get(i)).times(z);
        }
        return sum;
    }

    /** b₁ stands at index 1. */
    private static List<Tensor> prepended(List<Tensor> b) {
        return Stream.concat(Stream.of(b.get(0)), b.stream()).toList();
    }

    /** Each coefficient as [1, 1], or [rows, 1] of stacked ones. */
    private static List<Tensor> coefficients(Tensor all, @Nullable Segments segments) {
        Tensor ofRows = segments == null ? all.reshape(1, all.shape().dim(0)) : all.repeat(segments, 0);
        int[] ones = new int[ofRows.shape().dim(1)];
        Arrays.fill(ones, 1);
        return ofRows.split(1, ones);
    }

    private static Tensor linear(Tensor x, Tensor matrix, @Nullable Segments segments) {
        return segments == null ? x.linear(matrix) : x.linear(matrix, segments);
    }

    /** The inner width of W_down and W_up: a row of zeros in both changes nothing, since W_up multiplies what Ra makes of 0 by 0. */
    @Override
    public int paddedAxis(int parameter) {
        return parameter < 2 ? parameter : -1;
    }
}
