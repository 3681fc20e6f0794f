package io.peftj.djl.engine;

import static io.peftj.djl.engine.Engines.SHARED;
import static io.peftj.djl.engine.Engines.assertClose;
import static io.peftj.djl.engine.Engines.checkGradients;
import static io.peftj.djl.engine.Engines.compute;
import static io.peftj.djl.engine.Engines.random;
import static io.peftj.djl.engine.Engines.randomTensor;
import static io.peftj.djl.engine.Engines.toDoubles;
import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Dropout;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tape;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class ProductKernelsTest {

    /** x [rows, inner] · wᵀ for w [columns, inner]. */
    private static double[] product(double[] x, double[] w, int inner) {
        int rows = x.length / inner;
        int columns = w.length / inner;
        double[] y = new double[rows * columns];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                for (int i = 0; i < inner; i++) {
                    y[row * columns + column] += x[row * inner + i] * w[column * inner + i];
                }
            }
        }
        return y;
    }

    private static double[] transpose(double[] x, int columns) {
        double[] y = new double[x.length];
        int rows = x.length / columns;
        for (int i = 0; i < x.length; i++) {
            y[i % columns * rows + i / columns] = x[i];
        }
        return y;
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    void frozenProductsGoBothWaysWithOneWeight(DType dtype) {
        HostTensor values = random(1, 11, 7);
        Weight weight = SHARED.weight(values, dtype);
        double tolerance = dtype == DType.BF16 ? 0.1 : 1e-5;
        compute(session -> {
            Tensor fused = randomTensor(session, dtype, 2, 5, 21);
            for (Tensor x : List.of(randomTensor(session, dtype, 3, 5, 7), fused.slice(1, 3, 10))) {
                Tensor bias = randomTensor(session, dtype, 4, 11);
                double[] expected = product(x.toDoubles(), toDoubles(SHARED.dense(weight)), 7);
                assertClose(x.linear(weight, null), expected, tolerance);
                double[] added = bias.toDoubles();
                for (int i = 0; i < expected.length; i++) {
                    expected[i] += added[i % 11];
                }
                assertClose(x.linear(weight, bias), expected, tolerance);
                try (Tape tape = session.startTape()) {
                    Tensor leaf = tape.leaf(x);
                    Tensor g = randomTensor(session, dtype, 5, 5, 11);
                    tape.backward(List.of(leaf.linear(weight, null)), List.of(g));
                    double[] back = product(g.toDoubles(), transpose(toDoubles(SHARED.dense(weight)), 7), 11);
                    assertClose(tape.gradient(leaf), back, tolerance);
                }
            }
        });
        SHARED.free(weight);
    }

    @Test
    void noTokensGiveNoOutputs() {
        Weight weight = SHARED.weight(random(1, 4, 3), DType.F32);
        compute(session -> assertThat(session.tensor(HostTensor.of(Shape.of(0, 3)))
                        .linear(weight, null)
                        .toDoubles())
                .isEmpty());
        SHARED.free(weight);
    }

    @Test
    void rowsOfAWeightAreLookedUp() {
        Weight weight = SHARED.weight(HostTensor.of(Shape.of(3, 2), 1, 2, 3, 4, 5, 6), DType.F32);
        compute(session ->
                assertClose(Tensor.rows(session, weight, session.index(2, 0, 2)), new double[] {5, 6, 1, 2, 5, 6}, 0));
        SHARED.free(weight);
    }

    @Test
    void productsOfTensorsAreExactInDoublePrecision() {
        compute(session -> {
            Tensor a = randomTensor(session, DType.F64, 1, 3, 4);
            Tensor b = randomTensor(session, DType.F64, 2, 4, 5);
            assertClose(a.matmul(b), product(a.toDoubles(), transpose(b.toDoubles(), 5), 4), 1e-14);
        });
        checkGradients(x -> x.get(0).matmul(x.get(1)), Shape.of(2, 3, 4), Shape.of(2, 4, 2));
        checkGradients(x -> x.get(0).linear(x.get(1)), Shape.of(5, 3), Shape.of(4, 3));
    }

    @Test
    void largeAndSmallProductsAgreeWhicheverLibraryComputesThem() {
        compute(session -> {
            Tensor a = randomTensor(session, DType.F32, 1, 64, 48);
            Tensor p = randomTensor(session, DType.F32, 2, 40, 48);
            double[] expected = product(a.toDoubles(), p.toDoubles(), 48);
            assertClose(a.linear(p), expected, 1e-4);
            assertClose(a.matmul(p.transpose()), expected, 1e-4);
        });
    }

    static Stream<Arguments> segmentations() {
        Function<Session, Segments> inOrder = s -> Segments.of(s, 0, 2, 4, 6);
        Function<Session, Segments> shared = s -> Segments.of(s, new int[] {0, 2, 4, 6}, new int[] {2, 0, 2}, 3);
        Function<Session, Segments> uneven = s -> Segments.of(s, new int[] {0, 1, 1, 6}, new int[] {2, 1, 0}, 3);
        Function<Session, Segments> gaps =
                s -> Segments.of(s, new int[] {0, 1, 4, 6}, new int[] {1, Segments.NONE, 1}, 3);
        return Stream.of(
                Arguments.of("one slot after another", inOrder),
                Arguments.of("equal lengths, a shared slot", shared),
                Arguments.of("uneven lengths, one empty", uneven),
                Arguments.of("a segment without a slot", gaps));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("segmentations")
    void stackedMatricesActOnTheirSegments(String name, Function<Session, Segments> segmentation) {
        compute(session -> {
            Segments segments = segmentation.apply(session);
            Tensor x = randomTensor(session, DType.F64, 1, 6, 3);
            Tensor p = randomTensor(session, DType.F64, 2, 3, 4, 3);
            double[] expected = new double[24];
            for (int s = 0; s < segments.count(); s++) {
                if (segments.slot(s) != Segments.NONE && segments.length(s) > 0) {
                    double[] part = product(
                            x.slice(0, segments.offset(s), segments.offset(s + 1))
                                    .toDoubles(),
                            p.slice(0, segments.slot(s), segments.slot(s) + 1).toDoubles(),
                            3);
                    System.arraycopy(part, 0, expected, 4 * segments.offset(s), part.length);
                }
            }
            assertClose(x.linear(p, segments), expected, 1e-14);
        });
        checkGradients(
                x -> x.get(0).linear(x.get(1), segmentation.apply(x.get(0).session())),
                Shape.of(6, 3),
                Shape.of(3, 4, 3));
        checkGradients(
                x -> x.get(0)
                        .lowRankDelta(
                                x.get(1), x.get(2), segmentation.apply(x.get(0).session()), null),
                Shape.of(6, 3),
                Shape.of(3, 2, 3),
                Shape.of(3, 4, 2));
    }

    @Test
    void aLowRankDeltaIsTwoProductsOfDroppedInputs() {
        compute(session -> {
            Tensor x = randomTensor(session, DType.F32, 1, 6, 5);
            Tensor a = randomTensor(session, DType.F32, 2, 2, 5);
            Tensor b = randomTensor(session, DType.F32, 3, 4, 2);
            Dropout dropout =
                    new Dropout(session.index(1, 2, 3, 4, 5, 6), session.index(0, 6554, 32768, 65535, 20000, 9), 8);
            double[] low = product(x.dropout(dropout).toDoubles(), a.toDoubles(), 5);
            assertClose(x.lowRankDelta(a, b, null, dropout), product(low, b.toDoubles(), 2), 1e-3);
        });
        checkGradients(
                x -> {
                    Session session = x.get(0).session();
                    Dropout dropout = new Dropout(session.index(1, 2, 3), session.index(0, 6554, 32768), 8);
                    return x.get(0).lowRankDelta(x.get(1), x.get(2), null, dropout);
                },
                Shape.of(3, 5),
                Shape.of(2, 5),
                Shape.of(4, 2));
    }

    @Test
    void aLowRankDeltaOverBf16IsComputedInSinglePrecision() {
        compute(session -> {
            Tensor x = randomTensor(session, DType.BF16, 1, 6, 5);
            Tensor a = randomTensor(session, DType.F32, 2, 2, 5);
            Tensor b = randomTensor(session, DType.F32, 3, 4, 2);
            double[] expected = product(product(x.toDoubles(), a.toDoubles(), 5), b.toDoubles(), 2);
            Tensor delta = x.lowRankDelta(a, b, null, null);
            assertThat(delta.dtype()).isEqualTo(DType.BF16);
            double[] found = delta.toDoubles();
            for (int i = 0; i < found.length; i++) {
                assertThat(found[i])
                        .isCloseTo(
                                expected[i],
                                org.assertj.core.api.Assertions.within(Math.abs(expected[i]) / 256 + 1e-6));
            }
        });
    }
}
