package io.peftj.examples.cli;

import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.Buffer;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.Kernels;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Weight;
import io.peftj.djl.engine.KernelProfile.Product;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;

/** How long products with frozen matrices take when nothing else is computed: the time that no training step can go below. */
final class FrozenFloor {
    private static final int ROUNDS = 5;
    private static final int REPEATS = 4;

    private FrozenFloor() {}

    /**
     * Seconds of one product, the median of a few rounds, while every lane computes the same.
     *
     * @param lanes how many products are computed side by side
     */
    static double seconds(Backend backend, int lanes, Product product) {
        CounterRandom random = CounterRandom.of(1);
        Weight weight = backend.weight(random.normal(Shape.of(product.out(), product.in()), 0.02), product.dtype());
        try {
            Callable<Double> task = () -> time(backend, weight, product);
            List<Double> all =
                    lanes > 1 ? backend.callAll(Collections.nCopies(lanes, task)) : List.of(backend.call(task));
            return all.stream().mapToDouble(seconds -> seconds).average().orElseThrow();
        } finally {
            backend.free(weight);
        }
    }

    private static double time(Backend backend, Weight weight, Product product) {
        Kernels kernels = backend.kernels();
        Shape shape = Shape.of(product.tokens(), product.transposed() ? product.out() : product.in());
        Buffer x = kernels.upload(CounterRandom.of(2).normal(shape, 1).values(), shape, product.dtype());
        double[] rounds = new double[ROUNDS];
        for (int round = -1; round < ROUNDS; round++) {
            long began = System.nanoTime();
            for (int i = 0; i < REPEATS; i++) {
                Buffer result =
                        product.transposed() ? kernels.linearTransposed(x, weight) : kernels.linear(x, weight, null);
                result.release();
            }
            if (round >= 0) {
                rounds[round] = (System.nanoTime() - began) / 1e9 / REPEATS;
            }
        }
        x.release();
        Arrays.sort(rounds);
        return rounds[ROUNDS / 2];
    }
}
