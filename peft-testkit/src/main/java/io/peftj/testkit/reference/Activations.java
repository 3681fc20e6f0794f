package io.peftj.testkit.reference;

import io.peftj.core.tensor.Activation;

/** The nonlinearities of transformers and their derivatives. */
final class Activations {
    private static final double SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
    private static final double CUBIC = 0.044715;

    private Activations() {}

    static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    static double value(Activation activation, double x) {
        return switch (activation) {
            case GELU -> x * normalDistribution(x);
            case GELU_TANH -> 0.5 * x * (1 + Math.tanh(SQRT_2_OVER_PI * (x + CUBIC * x * x * x)));
            case SILU -> x * sigmoid(x);
            case RELU -> Math.max(x, 0);
            case TANH -> Math.tanh(x);
        };
    }

    static double derivative(Activation activation, double x) {
        return switch (activation) {
            case GELU -> normalDistribution(x) + x * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
            case GELU_TANH -> {
                double tanh = Math.tanh(SQRT_2_OVER_PI * (x + CUBIC * x * x * x));
                double inner = SQRT_2_OVER_PI * (1 + 3 * CUBIC * x * x);
                yield 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh * tanh) * inner;
            }
            case SILU -> sigmoid(x) * (1 + x * (1 - sigmoid(x)));
            case RELU -> x > 0 ? 1 : 0;
            case TANH -> 1 - Math.tanh(x) * Math.tanh(x);
        };
    }

    /** Φ(x), the share of a standard normal distribution below x. */
    private static double normalDistribution(double x) {
        double z = x / Math.sqrt(2);
        return z < 0 ? 0.5 * complementaryErrorFunction(-z) : 1 - 0.5 * complementaryErrorFunction(z);
    }

    /** 1 − erf(z) for z ≥ 0 (Abramowitz and Stegun, 7.1.6 and 7.1.14). */
    private static double complementaryErrorFunction(double z) {
        if (z < 2.5) {
            // erf(z) = 2/√π · e^(−z²) · Σ 2ⁿ z^(2n+1) / (1·3·…·(2n+1)); all terms are positive, so nothing cancels.
            double term = z;
            double sum = z;
            for (int n = 1; term > 1e-18 * sum; n++) {
                term *= 2 * z * z / (2 * n + 1);
                sum += term;
            }
            return 1 - 2 / Math.sqrt(Math.PI) * Math.exp(-z * z) * sum;
        }
        // erfc(z) = e^(−z²)/√π · 1/(z + ½/(z + 1/(z + 3/2/(z + …)))), from the far end to the front.
        double fraction = z;
        for (int n = 100; n >= 1; n--) {
            fraction = z + n / 2.0 / fraction;
        }
        return Math.exp(-z * z) / Math.sqrt(Math.PI) / fraction;
    }
}
