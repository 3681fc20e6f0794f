package io.peftj.djl.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tape;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/** One engine for all tests of this package, on one thread so that a busy machine does not slow them down. */
final class Engines {
    static final TorchBackend SHARED =
            TorchBackend.open(EngineOptions.defaults().withThreads(1));

    private Engines() {}

    /** Runs a computation in a session and checks that nothing of it stays alive. */
    static void compute(Consumer<Session> body) {
        compute(SHARED, body);
    }

    static void compute(TorchBackend backend, Consumer<Session> body) {
        long before = backend.memory().liveBytes();
        backend.call(() -> {
            try (Session session = Session.open(backend)) {
                body.accept(session);
            }
            return true;
        });
        assertThat(backend.memory().liveBytes()).as("bytes alive").isEqualTo(before);
    }

    static HostTensor random(long key, int... dims) {
        return CounterRandom.of(key).normal(Shape.of(dims), 1);
    }

    static Tensor randomTensor(Session session, DType dtype, long key, int... dims) {
        HostTensor values = random(key, dims);
        return dtype == DType.F64 ? session.tensor(toDoubles(values), values.shape()) : session.tensor(values, dtype);
    }

    static double[] toDoubles(HostTensor tensor) {
        double[] values = new double[tensor.values().length];
        for (int i = 0; i < values.length; i++) {
            values[i] = tensor.values()[i];
        }
        return values;
    }

    static void assertClose(Tensor actual, double[] expected, double tolerance) {
        assertThat(actual.toDoubles()).containsExactly(expected, within(tolerance));
    }

    /**
     * Compares the tape's gradients with central differences, in double precision on the engine.
     *
     * @param function of tensors of the given shapes, to a tensor of any shape
     */
    static void checkGradients(Function<List<Tensor>, Tensor> function, Shape... shapes) {
        double step = 1e-5;
        compute(session -> {
            List<double[]> points = new ArrayList<>();
            for (int i = 0; i < shapes.length; i++) {
                points.add(toDoubles(random(100 + i, shapes[i].dims())));
            }
            try (Tape tape = session.startTape()) {
                List<Tensor> leaves = new ArrayList<>();
                for (int i = 0; i < shapes.length; i++) {
                    leaves.add(tape.leaf(session.tensor(points.get(i), shapes[i])));
                }
                tape.backward(weighted(function.apply(leaves)));
                for (int i = 0; i < shapes.length; i++) {
                    double[] gradient = tape.gradient(leaves.get(i)).toDoubles();
                    for (int j = 0; j < gradient.length; j++) {
                        double up = at(session, function, points, shapes, i, j, step);
                        double down = at(session, function, points, shapes, i, j, -step);
                        assertThat(gradient[j])
                                .as("gradient of input %d at %d", i, j)
                                .isCloseTo((up - down) / (2 * step), within(1e-6 * (1 + Math.abs(gradient[j]))));
                    }
                }
            }
        });
    }

    private static double at(
            Session session,
            Function<List<Tensor>, Tensor> function,
            List<double[]> points,
            Shape[] shapes,
            int input,
            int place,
            double step) {
        double value = points.get(input)[place];
        points.get(input)[place] = value + step;
        List<Tensor> tensors = new ArrayList<>();
        for (int i = 0; i < shapes.length; i++) {
            tensors.add(session.tensor(points.get(i), shapes[i]));
        }
        points.get(input)[place] = value;
        return weighted(function.apply(tensors)).toDoubles()[0];
    }

    /** A scalar in which every element counts differently. */
    private static Tensor weighted(Tensor y) {
        Session session = y.session();
        Tensor weights = randomTensor(session, y.dtype(), 7, y.shape().dims());
        return y.times(weights).sumTo(Shape.SCALAR);
    }
}
