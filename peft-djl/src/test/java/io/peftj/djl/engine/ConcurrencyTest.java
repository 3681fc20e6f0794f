package io.peftj.djl.engine;

import static io.peftj.djl.engine.Engines.random;
import static io.peftj.djl.engine.Engines.randomTensor;
import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.core.tensor.Activation;
import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Layout;
import io.peftj.core.tensor.Scope;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tape;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Updates.AdamW;
import io.peftj.core.tensor.Updates.Moments;
import io.peftj.core.tensor.Weight;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConcurrencyTest {
    private static final int CALLERS = 8;
    private static final int STEPS = 12;

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void inferenceAndTrainingAtOnceGiveWhatTheyGiveAlone(int workers) throws Exception {
        EngineOptions options = EngineOptions.defaults().withThreads(1).withWorkers(workers);
        try (TorchBackend backend = TorchBackend.open(options)) {
            Weight weight = backend.weight(random(1, 96, 32), DType.F32);
            long held = backend.memory().liveBytes();
            List<Callable<List<double[]>>> callers = new ArrayList<>();
            for (int i = 0; i < CALLERS; i++) {
                int key = i;
                callers.add(() -> infer(backend, weight, key));
                callers.add(() -> train(backend, weight, key));
            }
            List<List<double[]>> alone = new ArrayList<>();
            for (Callable<List<double[]>> caller : callers) {
                alone.add(caller.call());
            }
            List<List<double[]>> together = together(callers);
            for (int i = 0; i < callers.size(); i++) {
                assertThat(together.get(i)).as("caller %d", i).hasSameSizeAs(alone.get(i));
                for (int step = 0; step < STEPS; step++) {
                    assertThat(together.get(i).get(step))
                            .as("caller %d, step %d", i, step)
                            .containsExactly(alone.get(i).get(step));
                }
            }
            assertThat(backend.memory().liveBytes()).isEqualTo(held);
            backend.free(weight);
            assertThat(backend.memory().liveBytes()).isZero();
        }
    }

    private static List<List<double[]>> together(List<Callable<List<double[]>>> callers)
            throws InterruptedException, ExecutionException {
        ExecutorService threads = Executors.newFixedThreadPool(callers.size());
        try {
            List<List<double[]>> results = new ArrayList<>();
            for (Future<List<double[]>> result : threads.invokeAll(callers)) {
                results.add(result.get());
            }
            return results;
        } finally {
            threads.shutdown();
        }
    }

    private static List<double[]> infer(TorchBackend backend, Weight weight, int key) {
        List<double[]> results = new ArrayList<>();
        for (int step = 0; step < STEPS; step++) {
            int draw = 100 * key + step;
            results.add(backend.call(() -> {
                try (Session session = Session.open(backend)) {
                    Tensor x = randomTensor(session, DType.F32, draw, 5 + key, 32);
                    return layer(session, x, weight).toDoubles();
                }
            }));
        }
        return results;
    }

    /** Trains a matrix in front of the layer, each step a task of its own. */
    private static List<double[]> train(TorchBackend backend, Weight weight, int key) {
        Shape shape = Shape.of(32, 32);
        HostTensor zeros = HostTensor.filled(shape, 0);
        Moments moments = backend.call(() -> new Moments(
                Constant.of(backend, random(key, 32, 32), DType.F32),
                Constant.of(backend, zeros, DType.F32),
                Constant.of(backend, zeros, DType.F32)));
        List<double[]> results = new ArrayList<>();
        for (int step = 1; step <= STEPS; step++) {
            int number = step;
            results.add(backend.call(() -> step(backend, weight, moments, key, number)));
        }
        List.of(moments.parameter(), moments.first(), moments.second()).forEach(Constant::close);
        return results;
    }

    private static double[] step(TorchBackend backend, Weight weight, Moments moments, int key, int number) {
        try (Session session = Session.open(backend);
                Tape tape = session.startTape()) {
            Tensor x = randomTensor(session, DType.F32, 1000 + key, 7, 32);
            Tensor matrix = tape.leaf(session.tensor(moments.parameter()));
            Tensor out = layer(session, x.linear(matrix), weight);
            tape.backward(out.times(out).sumTo(Shape.SCALAR));
            Tensor gradient = java.util.Objects.requireNonNull(tape.gradient(matrix));
            AdamW settings = new AdamW(0.01, 0.9, 0.999, 1e-8, 0.01);
            backend.updates().adamW(List.of(moments), List.of(gradient), List.of(settings), number);
            return session.tensor(moments.parameter()).toDoubles();
        }
    }

    private static Tensor layer(Session session, Tensor x, Weight weight) {
        Layout layout = Layout.of(session, 2, x.shape().dim(0) - 2);
        try (Scope scope = session.scope()) {
            List<Tensor> parts = x.linear(weight, null).split(1, 32, 32, 32);
            int tokens = x.shape().dim(0);
            Tensor mixed = parts.get(0)
                    .reshape(tokens, 4, 8)
                    .attention(
                            parts.get(1).reshape(tokens, 4, 8),
                            parts.get(2).reshape(tokens, 4, 8),
                            layout,
                            true,
                            0.35,
                            List.of());
            return scope.keep(
                    mixed.reshape(tokens, 32).activation(Activation.SILU).rmsNorm(null, 1e-6));
        }
    }
}
