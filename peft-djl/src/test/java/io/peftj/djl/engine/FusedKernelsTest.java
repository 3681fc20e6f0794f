package io.peftj.djl.engine;

import static io.peftj.djl.engine.Engines.SHARED;
import static io.peftj.djl.engine.Engines.assertClose;
import static io.peftj.djl.engine.Engines.checkGradients;
import static io.peftj.djl.engine.Engines.compute;
import static io.peftj.djl.engine.Engines.random;
import static io.peftj.djl.engine.Engines.randomTensor;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Index;
import io.peftj.core.tensor.Loss;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tape;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FusedKernelsTest {

    @ParameterizedTest
    @EnumSource(DType.class)
    void normsScaleEachRowByItsStatistics(DType dtype) {
        compute(session -> {
            Tensor x = randomTensor(session, dtype, 1, 4, 6);
            Tensor weight = randomTensor(session, dtype, 2, 6);
            Tensor bias = randomTensor(session, dtype, 3, 6);
            double[] v = x.toDoubles();
            double[] w = weight.toDoubles();
            double[] b = bias.toDoubles();
            double[] rms = new double[24];
            double[] layer = new double[24];
            for (int row = 0; row < 4; row++) {
                double mean = 0;
                double square = 0;
                for (int i = 0; i < 6; i++) {
                    mean += v[row * 6 + i] / 6;
                    square += v[row * 6 + i] * v[row * 6 + i] / 6;
                }
                for (int i = 0; i < 6; i++) {
                    double value = v[row * 6 + i];
                    rms[row * 6 + i] = value / Math.sqrt(square + 1e-5) * w[i];
                    layer[row * 6 + i] = (value - mean) / Math.sqrt(square - mean * mean + 1e-5) * w[i] + b[i];
                }
            }
            double tolerance = dtype == DType.BF16 ? 2e-2 : dtype == DType.F32 ? 1e-5 : 1e-12;
            assertClose(x.rmsNorm(weight, 1e-5), rms, tolerance);
            assertClose(x.layerNorm(weight, bias, 1e-5), layer, tolerance);
        });
    }

    @Test
    void gradientsOfNormsMatchFiniteDifferences() {
        checkGradients(x -> x.get(0).rmsNorm(null, 1e-5), Shape.of(3, 5));
        checkGradients(x -> x.get(0).rmsNorm(x.get(1), 1e-5), Shape.of(3, 5), Shape.of(5));
        checkGradients(x -> x.get(0).rmsNorm(randomTensor(x.get(0).session(), DType.F64, 9, 5), 1e-5), Shape.of(3, 5));
        checkGradients(x -> x.get(0).layerNorm(null, null, 1e-5), Shape.of(3, 5));
        checkGradients(x -> x.get(0).layerNorm(x.get(1), x.get(2), 1e-5), Shape.of(3, 5), Shape.of(5), Shape.of(5));
        checkGradients(
                x -> x.get(0).layerNorm(randomTensor(x.get(0).session(), DType.F64, 9, 5), null, 1e-5), Shape.of(3, 5));
    }

    @Test
    void rotaryTurnsHalvesAndItsGradientTurnsBack() {
        compute(session -> {
            Tensor x = session.tensor(new double[] {1, 2, 3, 4}, Shape.of(1, 1, 4));
            Tensor cos = session.tensor(new double[] {0.6, 0.8}, Shape.of(1, 2));
            Tensor sin = session.tensor(new double[] {0.8, 0.6}, Shape.of(1, 2));
            double[] turned = {.6 - 2.4, 1.6 - 2.4, 1.8 + .8, 3.2 + 1.2};
            assertClose(x.rotary(cos, sin), turned, 1e-15);
            try (Tape tape = session.startTape()) {
                Tensor leaf = tape.leaf(x);
                Tensor y = leaf.rotary(cos, sin);
                tape.backward(java.util.List.of(y), java.util.List.of(y.detach()));
                assertClose(tape.gradient(leaf), new double[] {1, 2, 3, 4}, 1e-14);
            }
        });
        checkGradients(
                x -> x.get(0)
                        .slice(1, 4, 12)
                        .reshape(3, 2, 4)
                        .rotary(
                                randomTensor(x.get(0).session(), DType.F64, 8, 3, 2),
                                randomTensor(x.get(0).session(), DType.F64, 9, 3, 2)),
                Shape.of(3, 16));
    }

    @Test
    void crossEntropyIsTheWeightedNegativeLogLikelihood() {
        compute(session -> {
            Tensor logits = session.tensor(new double[] {0, Math.log(3), 1000, 0}, Shape.of(2, 2));
            Tensor weights = session.tensor(new double[] {0.5, 2}, Shape.of(2));
            Loss loss = logits.crossEntropy(session.index(1, 1), weights);
            assertClose(loss.perRow(), new double[] {Math.log(4.0 / 3), 1000}, 1e-12);
            assertClose(loss.sum(), new double[] {0.5 * Math.log(4.0 / 3) + 2000}, 1e-12);
        });
        checkGradients(
                x -> x.get(0)
                        .crossEntropy(
                                x.get(0).session().index(2, 0, 4),
                                randomTensor(x.get(0).session(), DType.F64, 5, 3))
                        .sum(),
                Shape.of(3, 5));
    }

    @Test
    void theFusedLossEqualsTheLossOfTheProduct() {
        int rows = 300; // more than one chunk
        HostTensor values = random(1, 17, 6);
        long[] labels = new long[rows];
        java.util.Arrays.setAll(labels, i -> i % 17);
        for (DType dtype : DType.values()) {
            Weight weight = SHARED.weight(values, dtype);
            compute(session -> {
                Tensor x = randomTensor(session, dtype, 2, rows, 6);
                DType wide = dtype == DType.F64 ? DType.F64 : DType.F32;
                Tensor weights = randomTensor(session, wide, 3, rows).abs();
                Index index = session.index(labels);
                double tolerance = dtype == DType.BF16 ? 0.1 : 1e-4;
                try (Tape tape = session.startTape()) {
                    Tensor one = tape.leaf(x);
                    Tensor other = tape.leaf(x);
                    Loss fused = one.linearCrossEntropy(weight, index, weights);
                    Loss plain = other.linear(weight, null).crossEntropy(index, weights);
                    assertThat(fused.sum().toDoubles()[0])
                            .isCloseTo(plain.sum().toDoubles()[0], within(10 * tolerance));
                    assertClose(fused.perRow(), plain.perRow().toDoubles(), tolerance);
                    tape.backward(fused.sum().plus(plain.sum()));
                    assertClose(tape.gradient(one), tape.gradient(other).toDoubles(), tolerance);
                }
            });
            SHARED.free(weight);
        }
    }

    @Test
    void aLabelFarBelowTheGreatestLogitHasAFiniteLoss() {
        Weight weight = SHARED.weight(HostTensor.of(Shape.of(2, 1), 1, -1), DType.F32);
        compute(session -> {
            Tensor x = session.tensor(HostTensor.of(Shape.of(1, 1), 400));
            Loss loss = x.linearCrossEntropy(weight, session.index(1), session.tensor(HostTensor.of(Shape.of(1), 1)));
            assertClose(loss.perRow(), new double[] {800}, 0);
        });
        SHARED.free(weight);
    }
}
