package io.peftj.methods.pedro;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.tensor.Activation;
import io.peftj.core.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The nonlinearity between a generator's two matrices. */
public sealed interface PedroActivation {
    /** A fixed function. */
    enum Fixed implements PedroActivation {
        GELU,
        RELU,
        SILU,
        /** x·tanh(log(1 + eˣ)) (arXiv 1908.08681). */
        MISH,
        IDENTITY;

        /** The name in files, such as "gelu". */
        public String key() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** The function of a name; empty if there is none. */
        public static Optional<Fixed> named(String key) {
            return Arrays.stream(values())
                    .filter(function -> function.key().equals(key))
                    .findFirst();
        }

        Tensor apply(Tensor x) {
            return switch (this) {
                case GELU -> x.activation(Activation.GELU);
                case RELU -> x.activation(Activation.RELU);
                case SILU -> x.activation(Activation.SILU);
                case MISH -> mish(x);
                case IDENTITY -> x;
            };
        }

        /** log(1 + eˣ) as relu(x) + log(1 + e^−|x|), which overflows nowhere. */
        private static Tensor mish(Tensor x) {
            Tensor softplus = x.activation(Activation.RELU)
                    .plus(x.abs().affine(-1, 0).exp().affine(1, 1).log());
            return x.times(softplus.activation(Activation.TANH));
        }
    }

    /**
     * Σ aᵢxⁱ / (1 + |Σ bⱼxʲ|), i from 0 to m, j from 1 to n, with coefficients trained in each layer (arXiv 1907.06732).
     *
     * @param numeratorDegree m
     * @param denominatorDegree n
     * @param start what it is like at first
     */
    record Rational(int numeratorDegree, int denominatorDegree, RationalStart start) implements PedroActivation {
        /** Checks that there are coefficients to start with. */
        public Rational {
            if (!RationalStart.DEGREES.contains(List.of(numeratorDegree, denominatorDegree))) {
                throw new InvalidConfigException("rational_degrees: expected one of " + RationalStart.DEGREES
                        + ", found [" + numeratorDegree + ", " + denominatorDegree + "]");
            }
        }
    }

    /**
     * The ends of the names of what a rational function's coefficients are trained under: for training on two levels (arXiv 2409.17834), where they learn
     * from rows of their own.
     */
    static List<String> coefficients() {
        return List.of(".activation.numerator", ".activation.denominator");
    }

    /** Degrees 5 and 4, like a GELU at first. */
    static Rational rational() {
        return new Rational(5, 4, RationalStart.GELU);
    }
}
