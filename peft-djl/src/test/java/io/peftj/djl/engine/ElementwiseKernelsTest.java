package io.peftj.djl.engine;

import static io.peftj.djl.engine.Engines.assertClose;
import static io.peftj.djl.engine.Engines.checkGradients;
import static io.peftj.djl.engine.Engines.compute;
import static io.peftj.djl.engine.Engines.randomTensor;

import io.peftj.core.tensor.Activation;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Dropout;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ElementwiseKernelsTest {

    @Test
    void smallerOperandsAreBroadcast() {
        compute(session -> {
            Tensor x = session.tensor(new double[] {1, 2, 3, 4, 5, 6}, Shape.of(2, 3));
            Tensor width = session.tensor(new double[] {10, 20, 30}, Shape.of(3));
            Tensor column = session.tensor(new double[] {2, 4}, Shape.of(2, 1));
            Tensor scalar = session.tensor(new double[] {0.5}, Shape.SCALAR);
            assertClose(x.plus(width), new double[] {11, 22, 33, 14, 25, 36}, 0);
            assertClose(x.minus(column), new double[] {-1, 0, 1, 0, 1, 2}, 0);
            assertClose(x.times(scalar), new double[] {.5, 1, 1.5, 2, 2.5, 3}, 0);
            assertClose(width.dividedBy(width), new double[] {1, 1, 1}, 0);
            assertClose(scalar.dividedBy(x), new double[] {.5, .25, .5 / 3, .125, .1, .5 / 6}, 1e-15);
        });
    }

    @Test
    void functionsAreThoseOfMath() {
        compute(session -> {
            Tensor x = session.tensor(new double[] {0.3, 1, 2.5}, Shape.of(3));
            assertClose(x.exp(), map(x, Math::exp), 1e-14);
            assertClose(x.log(), map(x, Math::log), 1e-14);
            assertClose(x.sqrt(), map(x, Math::sqrt), 1e-14);
            assertClose(x.affine(-1, 0).abs(), x.toDoubles(), 0);
            assertClose(x.sigmoid(), map(x, v -> 1 / (1 + Math.exp(-v))), 1e-14);
            assertClose(x.affine(2, -1), map(x, v -> 2 * v - 1), 1e-15);
            assertClose(x.activation(Activation.SILU), map(x, v -> v / (1 + Math.exp(-v))), 1e-14);
            assertClose(x.affine(1, -1).activation(Activation.RELU), new double[] {0, 0, 1.5}, 1e-15);
            DoubleUnaryOperator byTanh =
                    v -> 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v * v * v)));
            assertClose(x.activation(Activation.GELU_TANH), map(x, byTanh), 1e-14);
        });
    }

    private static double[] map(Tensor x, DoubleUnaryOperator function) {
        return Arrays.stream(x.toDoubles()).map(function).toArray();
    }

    @ParameterizedTest
    @EnumSource(Activation.class)
    void gradientsOfActivationsMatchFiniteDifferences(Activation activation) {
        checkGradients(x -> x.get(0).activation(activation), Shape.of(3, 4));
        checkGradients(x -> x.get(0).gatedActivation(x.get(1), activation), Shape.of(3, 4), Shape.of(3, 4));
        checkGradients(
                x -> {
                    var halves = x.get(0).split(1, 4, 4);
                    return halves.get(0).gatedActivation(halves.get(1), activation);
                },
                Shape.of(3, 8));
    }

    @Test
    void gradientsOfFunctionsMatchFiniteDifferences() {
        checkGradients(x -> x.get(0).exp().plus(x.get(0).abs()).log(), Shape.of(5));
        checkGradients(x -> x.get(0).sigmoid().sqrt().dividedBy(x.get(1).exp()), Shape.of(3, 2), Shape.of(2));
        checkGradients(x -> x.get(0).activation(Activation.TANH).minus(x.get(1)), Shape.of(3, 2), Shape.of(3, 1));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 4, 10, 64})
    void dropoutDrawsTheSameBitsAsJava(int features) {
        long[] keys = {0, 1, -1, Long.MIN_VALUE, Long.MAX_VALUE, 0x0123456789ABCDEFL};
        long[] thresholds = {0, 1, 6554, 32768, 65535, 40000};
        long site = -77;
        compute(session -> {
            Tensor x = randomTensor(session, DType.F32, 3, keys.length, features);
            Dropout dropout = new Dropout(session.index(keys), session.index(thresholds), site);
            double[] values = x.toDoubles();
            for (int i = 0; i < values.length; i++) {
                int token = i / features;
                int draw = CounterRandom.draw16(keys[token], site, i % features);
                float scale = (float) (65536.0 / (65536 - thresholds[token]));
                values[i] = draw < thresholds[token] ? 0 : (float) values[i] * scale;
            }
            assertClose(x.dropout(dropout), values, 1e-2);
            checkZeros(x.dropout(dropout).toDoubles(), values);
        });
    }

    private static void checkZeros(double[] found, double[] expected) {
        for (int i = 0; i < found.length; i++) {
            org.assertj.core.api.Assertions.assertThat(found[i] == 0).isEqualTo(expected[i] == 0);
        }
    }
}
