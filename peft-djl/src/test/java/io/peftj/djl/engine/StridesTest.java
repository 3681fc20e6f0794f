package io.peftj.djl.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class StridesTest {

    @Test
    void contiguousStridesCountElementsToTheNextEntry() {
        assertThat(Strides.contiguous(Shape.of(2, 3, 4))).containsExactly(12, 4, 1);
        assertThat(Strides.contiguous(Shape.SCALAR)).isEmpty();
    }

    @Test
    void columnsOfAFusedProjectionShowAsHeadsWithoutACopy() {
        long[] strides = Strides.reshape(Shape.of(5, 8), new long[] {24, 1}, Shape.of(5, 2, 4));
        assertThat(strides).containsExactly(24, 4, 1);
    }

    @Test
    void whatIsNotEvenlySpacedNeedsACopy() {
        assertThat(Strides.reshape(Shape.of(5, 8), new long[] {24, 1}, Shape.of(40)))
                .isNull();
        assertThat(Strides.reshape(Shape.of(4, 6), new long[] {1, 4}, Shape.of(24)))
                .isNull();
    }

    @Test
    void aScalarShowsWithAxesOfOneEntry() {
        assertThat(Strides.reshape(Shape.SCALAR, new long[0], Shape.of(1, 1))).containsExactly(1, 1);
        assertThat(Strides.reshape(Shape.of(1, 1), new long[] {7, 3}, Shape.SCALAR))
                .isEmpty();
    }

    @Test
    void aReshapedViewReadsTheSamePlacesInTheSameOrder() {
        long seed = 20240611;
        CounterRandom random = CounterRandom.of(seed);
        int views = 0;
        for (int trial = 0; trial < 3000; trial++) {
            Shape shape = randomShape(random, 3);
            long[] strides = randomStrides(random, shape);
            Shape target = randomFactoring(random, (int) shape.size());
            long[] found = Strides.reshape(shape, strides, target);
            if (found != null) {
                views++;
                assertThat(places(target, found))
                        .as("seed %d trial %d: %s to %s", seed, trial, shape, target)
                        .isEqualTo(places(shape, strides));
            }
        }
        assertThat(views).as("trials in which a view was possible").isGreaterThan(500);
    }

    private static Shape randomShape(CounterRandom random, int rank) {
        int[] dims = new int[rank];
        for (int i = 0; i < rank; i++) {
            dims[i] = 1 + random.nextInt(4);
        }
        return Shape.of(dims);
    }

    /** A part of a larger contiguous tensor, its axes perhaps exchanged. */
    private static long[] randomStrides(CounterRandom random, Shape shape) {
        int[] order = random.nextInt(2) == 0 ? new int[] {0, 1, 2} : random.permutation(shape.rank());
        long[] strides = new long[shape.rank()];
        long stride = 1;
        for (int i = shape.rank() - 1; i >= 0; i--) {
            strides[order[i]] = stride;
            stride *= shape.dim(order[i]) + (random.nextInt(3) == 0 ? 1 : 0);
        }
        return strides;
    }

    private static Shape randomFactoring(CounterRandom random, int size) {
        List<Integer> dims = new ArrayList<>();
        int left = size;
        for (int divisor = 2; divisor <= 4; divisor++) {
            while (left % divisor == 0) {
                left /= divisor;
                dims.add(random.nextInt(dims.size() + 1), divisor);
            }
        }
        if (random.nextInt(2) == 0) {
            dims.add(random.nextInt(dims.size() + 1), 1);
        }
        return Shape.of(dims.stream().mapToInt(Integer::intValue).toArray());
    }

    private static List<Long> places(Shape shape, long[] strides) {
        List<Long> places = new ArrayList<>();
        for (long i = 0; i < shape.size(); i++) {
            long rest = i;
            long place = 0;
            for (int axis = shape.rank() - 1; axis >= 0; axis--) {
                place += rest % shape.dim(axis) * strides[axis];
                rest /= shape.dim(axis);
            }
            places.add(place);
        }
        return places;
    }
}
