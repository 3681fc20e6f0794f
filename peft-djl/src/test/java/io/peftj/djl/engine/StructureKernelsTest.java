package io.peftj.djl.engine;

import static io.peftj.djl.engine.Engines.assertClose;
import static io.peftj.djl.engine.Engines.checkGradients;
import static io.peftj.djl.engine.Engines.compute;
import static io.peftj.djl.engine.Engines.randomTensor;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Kernels.Reduction;
import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class StructureKernelsTest {

    private static Tensor counting(Session session, int... dims) {
        Shape shape = Shape.of(dims);
        double[] values = new double[(int) shape.size()];
        java.util.Arrays.setAll(values, i -> i);
        return session.tensor(values, shape);
    }

    @Test
    void cutsAndHeadsOfAFusedProjectionAreViews() {
        compute(session -> {
            Tensor fused = counting(session, 2, 12);
            long before = session.backend().memory().liveBytes();
            Tensor part = fused.split(1, 4, 8).get(1);
            Tensor heads = part.reshape(2, 4, 2);
            Tensor turned = heads.permute(1, 0, 2);
            assertThat(session.backend().memory().liveBytes()).isEqualTo(before);
            assertThat(turned.buffer().storage()).isSameAs(fused.buffer());
            assertThat(turned.toDoubles()).containsExactly(4, 5, 16, 17, 6, 7, 18, 19, 8, 9, 20, 21, 10, 11, 22, 23);
        });
    }

    @Test
    void joiningNeighboursInOneStorageCopiesNothing() {
        compute(session -> {
            Tensor fused = counting(session, 3, 6);
            List<Tensor> parts = fused.split(1, 1, 2, 3);
            Tensor joined = Tensor.concat(parts, 1);
            assertThat(joined.buffer().storage()).isSameAs(fused.buffer());
            assertThat(joined.toDoubles()).containsExactly(fused.toDoubles());
            Tensor some = Tensor.concat(parts.subList(1, 3), 1);
            assertThat(some.buffer().storage()).isSameAs(fused.buffer());
            assertThat(some.toDoubles()).containsExactly(1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17);
        });
    }

    @Test
    void joiningPartsInAnotherOrderCopies() {
        compute(session -> {
            Tensor fused = counting(session, 2, 3);
            List<Tensor> parts = fused.split(1, 1, 2);
            Tensor swapped = Tensor.concat(List.of(parts.get(1), parts.get(0)), 1);
            assertThat(swapped.buffer().storage()).isNotSameAs(fused.buffer());
            assertThat(swapped.toDoubles()).containsExactly(1, 2, 0, 4, 5, 3);
        });
    }

    @Test
    void reshapingWhatIsNotEvenlySpacedCopies() {
        compute(session -> {
            Tensor turned = counting(session, 2, 3).permute(1, 0);
            Tensor flat = turned.reshape(6);
            assertThat(flat.buffer().storage()).isNotSameAs(turned.buffer().storage());
            assertThat(flat.toDoubles()).containsExactly(0, 3, 1, 4, 2, 5);
        });
    }

    @Test
    void aViewKeepsItsStorageAlive() {
        compute(session -> {
            Tensor row;
            try (var scope = session.scope()) {
                row = scope.keep(counting(session, 2, 3).slice(0, 1, 2));
            }
            assertThat(row.toDoubles()).containsExactly(3, 4, 5);
        });
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    void repeatedNumbersAddUp(DType dtype) {
        compute(session -> {
            Tensor x = counting(session, 4, 2).cast(dtype);
            assertClose(x.scatterAdd(session.index(1, 1, 0, 1), 3), new double[] {4, 5, 8, 11, 0, 0}, 0);
            assertClose(x.gather(session.index(3, 3, 0)), new double[] {6, 7, 6, 7, 0, 1}, 0);
        });
    }

    @Test
    void sumsOfManyBf16RowsAreKeptInSinglePrecision() {
        compute(session -> {
            Tensor ones = session.zeros(Shape.of(1000, 1), DType.BF16).affine(1, 1);
            Tensor sum = ones.scatterAdd(session.index(new long[1000]), 1);
            assertClose(sum, new double[] {1000}, 0);
        });
    }

    @Test
    void emptySegmentsGiveZero() {
        compute(session -> {
            Segments segments = Segments.of(session, 0, 2, 2, 3);
            Tensor x = counting(session, 3, 2).affine(-1, 0);
            assertClose(x.segmentReduce(segments, Reduction.SUM), new double[] {-2, -4, 0, 0, -4, -5}, 0);
            assertClose(x.segmentReduce(segments, Reduction.MEAN), new double[] {-1, -2, 0, 0, -4, -5}, 0);
            assertClose(x.segmentReduce(segments, Reduction.MAX), new double[] {0, -1, 0, 0, -4, -5}, 0);
        });
    }

    @Test
    void sumsReverseBroadcasting() {
        compute(session -> {
            Tensor x = counting(session, 2, 3);
            assertClose(x.sumTo(Shape.of(3)), new double[] {3, 5, 7}, 0);
            assertClose(x.sumTo(Shape.of(2, 1)), new double[] {3, 12}, 0);
            assertClose(x.sumTo(Shape.SCALAR), new double[] {15}, 0);
        });
    }

    @Test
    void gradientsMatchFiniteDifferences() {
        checkGradients(x -> x.get(0).permute(1, 0).reshape(2, 6), Shape.of(4, 3));
        checkGradients(
                x -> Tensor.concat(List.of(x.get(0).slice(0, 1, 3), x.get(1)), 0), Shape.of(4, 3), Shape.of(1, 3));
        checkGradients(x -> x.get(0).addAt(x.get(0).session().index(2, 0), x.get(1)), Shape.of(3, 2), Shape.of(2, 2));
        checkGradients(x -> x.get(0).max(1).times(x.get(0).softmax().sum(1)), Shape.of(3, 4));
        checkGradients(x -> x.get(0).segmentSoftmax(Segments.of(x.get(0).session(), 0, 3, 4)), Shape.of(4, 2));
    }

    @Test
    void copiesShareNothing() {
        compute(session -> {
            Tensor x = randomTensor(session, DType.F32, 1, 3, 4);
            long before = session.backend().memory().liveBytes();
            Tensor same = x.sumTo(Shape.of(3, 4));
            assertThat(same).isSameAs(x);
            var copy = session.backend().kernels().sumTo(x.buffer(), x.shape());
            assertThat(session.backend().memory().liveBytes()).isEqualTo(before + 48);
            copy.release();
        });
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    void theLargestOfEachRowIsTheFirstOfSeveral(DType dtype) {
        compute(session -> {
            Tensor x = session.tensor(
                            new double[] {1, 3, 3, -2, 5, -1, -4, -1, 2, Double.NaN, 7, Double.NaN}, Shape.of(3, 4))
                    .cast(dtype);
            assertThat(x.largest()).containsExactly(1, 3, 0, 5, 1, Double.NaN);
            assertThatThrownBy(() -> x.reshape(12).largest())
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("largest: expected a matrix [rows, n], found shape [12]");
        });
    }
}
