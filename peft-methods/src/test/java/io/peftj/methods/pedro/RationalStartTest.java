package io.peftj.methods.pedro;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class RationalStartTest {
    private static final int PARTS = 400;

    static Stream<Arguments> starts() {
        return Stream.of(
                Arguments.of(RationalStart.GELU, 5, 4, 1e-3),
                Arguments.of(RationalStart.GELU, 6, 5, 2e-4),
                Arguments.of(RationalStart.RELU, 5, 4, 0.035),
                Arguments.of(RationalStart.RELU, 6, 5, 0.02),
                Arguments.of(RationalStart.SILU, 5, 4, 2e-6),
                Arguments.of(RationalStart.SILU, 6, 5, 2e-6),
                Arguments.of(RationalStart.MISH, 5, 4, 4e-3),
                Arguments.of(RationalStart.MISH, 6, 5, 5e-5));
    }

    @ParameterizedTest
    @MethodSource("starts")
    void isLikeItsFunction(RationalStart start, int m, int n, double within) {
        double[] c = coefficients(start, m, n);

        assertThat(c).hasSize(m + 1 + n);
        assertThat(RationalFit.largestError(function(start), c, m)).isLessThan(within);
    }

    /** In the sum of squared errors, which is what was minimised; the published ones of the GELU are as good within a part in a hundred. */
    @ParameterizedTest
    @MethodSource("starts")
    void isAsGoodAsAFreshFit(RationalStart start, int m, int n, double within) {
        double[] fitted = RationalFit.fit(function(start), m, n);

        double best = RationalFit.squaredError(function(start), fitted, m);
        assertThat(RationalFit.squaredError(function(start), coefficients(start, m, n), m))
                .isLessThan(1.01 * best + 1e-10);
        assertThat(RationalFit.largestError(function(start), fitted, m)).isLessThan(within);
    }

    private static double[] coefficients(RationalStart start, int m, int n) {
        RationalStart.Coefficients found = start.coefficients(m, n);
        return Stream.of(found.numerator(), found.denominator())
                .flatMap(List::stream)
                .mapToDouble(Double::doubleValue)
                .toArray();
    }

    private static DoubleUnaryOperator function(RationalStart start) {
        return switch (start) {
            case GELU -> x -> x * normalDistribution(x);
            case RELU -> x -> Math.max(x, 0);
            case SILU -> x -> x / (1 + Math.exp(-x));
            case MISH -> x -> x * Math.tanh(Math.log1p(Math.exp(x)));
        };
    }

    /** Φ by Simpson's rule. */
    private static double normalDistribution(double x) {
        double h = x / PARTS;
        double sum = DoubleStream.iterate(0, i -> i < PARTS, i -> i + 1)
                .map(i -> density(i * h) + 4 * density((i + 0.5) * h) + density((i + 1) * h))
                .sum();
        return 0.5 + sum * h / 6;
    }

    private static double density(double x) {
        return Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
    }
}
