package io.peftj.testkit.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.tensor.Activation;
import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Dropout;
import io.peftj.core.tensor.Scope;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tape;
import io.peftj.core.tensor.Tensor;
import io.peftj.testkit.GradientCheck;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class CheckpointTest extends ReferenceSession {
    /** How a part of the network is run. */
    private interface Runner {
        List<Tensor> run(Session session, Supplier<List<Tensor>> body);
    }

    private static final Runner PLAIN = (session, body) -> body.get();
    private static final Runner CHECKPOINTED = Tape::checkpoint;

    /** Captures a leaf from outside, an intermediate value from outside, and its input; has two results. */
    private static List<Tensor> network(Session session, List<Tensor> leaves, Runner outer, Runner inner) {
        Tensor shared = leaves.get(1).sigmoid();
        Tensor x = leaves.get(0);
        Tensor aside = x;
        for (int layer = 0; layer < 3; layer++) {
            Tensor input = x;
            int number = layer;
            List<Tensor> results = outer.run(session, () -> {
                Tensor h = input.linear(leaves.get(2)).times(shared);
                Tensor bent = inner.run(
                                session,
                                () -> List.of(h.activation(Activation.GELU).plus(leaves.get(1))))
                        .get(0);
                return List.of(bent.plus(input), h.affine(number, 0.5));
            });
            x = results.get(0);
            aside = results.get(1);
        }
        return List.of(x, aside.times(shared));
    }

    private List<double[]> gradients(Runner outer, Runner inner) {
        CounterRandom random = CounterRandom.of(3);
        try (Tape tape = session.startTape()) {
            List<Tensor> leaves = List.of(
                    tape.leaf(session.tensor(random.normal(Shape.of(4, 3), 1), DType.F64)),
                    tape.leaf(session.tensor(random.normal(Shape.of(3), 1), DType.F64)),
                    tape.leaf(session.tensor(random.normal(Shape.of(3, 3), 1), DType.F64)));
            List<Tensor> results = network(session, leaves, outer, inner);
            List<Tensor> cotangents = results.stream()
                    .map(result -> session.tensor(random.normal(result.shape(), 1), DType.F64))
                    .toList();
            List<double[]> values = new ArrayList<>();
            results.forEach(result -> values.add(result.toDoubles()));
            tape.backward(results, cotangents);
            leaves.forEach(leaf -> values.add(tape.gradient(leaf).toDoubles()));
            return values;
        }
    }

    @Test
    void givesTheValuesAndGradientsOfThePlainComputation() {
        assertThat(gradients(CHECKPOINTED, PLAIN)).usingRecursiveComparison().isEqualTo(gradients(PLAIN, PLAIN));
    }

    @Test
    void givesTheSameInsideAnotherCheckpoint() {
        assertThat(gradients(CHECKPOINTED, CHECKPOINTED))
                .usingRecursiveComparison()
                .isEqualTo(gradients(PLAIN, PLAIN));
    }

    @Test
    void nestsToAnyDepth() {
        Runner twice = (session, body) -> Tape.checkpoint(session, () -> Tape.checkpoint(session, body));
        assertThat(gradients(twice, twice)).usingRecursiveComparison().isEqualTo(gradients(PLAIN, PLAIN));
    }

    @Test
    void agreesWithFiniteDifferences() {
        long seed = 5;
        CounterRandom random = CounterRandom.of(seed);
        GradientCheck.on(backend, seed)
                .input("x", DType.F64, random.normal(Shape.of(2, 3), 1))
                .input("shared", DType.F64, random.normal(Shape.of(3), 1))
                .input("matrix", DType.F64, random.normal(Shape.of(3, 3), 1))
                .check((s, in) -> network(
                        s, List.of(in.get("x"), in.get("shared"), in.get("matrix")), CHECKPOINTED, CHECKPOINTED));
    }

    @Test
    void passesOnTheGradientOfACapturedTensorThatItReturnsAsItIs() {
        try (Tape tape = session.startTape()) {
            Tensor x = tape.leaf(vector(2, 3));
            Tensor y = x.affine(10, 0);
            List<Tensor> results = Tape.checkpoint(session, () -> List.of(x, y, y.times(x)));
            tape.backward(Tensor.concat(results, 0).sum(0));
            assertThat(tape.gradient(x).toDoubles()).containsExactly(1 + 10 + 40, 1 + 10 + 60);
        }
    }

    @Test
    void runsItsBodyOnceMoreAndOnlyIfItsGradientIsWanted() {
        AtomicInteger runs = new AtomicInteger();
        try (Tape tape = session.startTape()) {
            Tensor x = tape.leaf(vector(2));
            Tensor used = counted(runs, x);
            assertThat(runs).hasValue(1);
            Tensor unused = counted(runs, x);
            Tensor frozen = counted(runs, vector(1));
            assertThat(runs).hasValue(3);
            tape.backward(used.plus(frozen));
            assertThat(runs).hasValue(4);
            assertThat(tape.gradient(x).toDoubles()).containsExactly(Math.exp(2));
            assertThat(unused.toDoubles()).isEqualTo(used.toDoubles());
        }
        counted(runs, vector(1));
        assertThat(runs).hasValue(5);
    }

    private Tensor counted(AtomicInteger runs, Tensor x) {
        return Tape.checkpoint(session, () -> {
                    runs.incrementAndGet();
                    return List.of(x.exp());
                })
                .get(0);
    }

    @Test
    void drawsTheSameDropoutAgain() {
        Dropout dropout = new Dropout(
                session.index(11, 12, 13), session.index(30000, 30000, 30000), CounterRandom.key(1, "layer"));
        assertThat(dropoutGradient(dropout, CHECKPOINTED)).isEqualTo(dropoutGradient(dropout, PLAIN));
    }

    private double[] dropoutGradient(Dropout dropout, Runner runner) {
        try (Tape tape = session.startTape()) {
            Tensor x = tape.leaf(session.tensor(CounterRandom.of(1).normal(Shape.of(3, 6), 1), DType.F64));
            Tensor y = runner.run(
                            session, () -> List.of(x.dropout(dropout).exp().dropout(dropout.at(4))))
                    .get(0);
            tape.backward(y.sum(1).sum(0));
            return tape.gradient(x).toDoubles();
        }
    }

    @Test
    void holdsOnlyWhatItCapturesUntilTheBackwardPass() {
        assertThat(bytesHeld(CHECKPOINTED)).isEqualTo(8 * 100);
        assertThat(bytesHeld(PLAIN)).isEqualTo(8 * 100 * 5);
    }

    /** Bytes alive besides the input and the result after five layers' forward pass. */
    private long bytesHeld(Runner runner) {
        try (Tape tape = session.startTape();
                Scope whole = session.scope()) {
            Tensor x = tape.leaf(zeros(100));
            long before = backend.memory().liveBytes();
            Tensor y;
            try (Scope scope = session.scope()) {
                y = scope.keep(runner.run(
                                session, () -> List.of(x.exp().exp().exp().exp().exp()))
                        .get(0));
            }
            assertThat(y.shape()).isEqualTo(x.shape());
            return backend.memory().liveBytes() - before;
        }
    }

    @Test
    void capturedValueOutlivesItsScope() {
        try (Tape tape = session.startTape()) {
            Tensor x = tape.leaf(vector(2, 3));
            Tensor y;
            try (Scope scope = session.scope()) {
                Tensor captured = x.affine(2, 0);
                y = scope.keep(Tape.checkpoint(session, () -> List.of(captured.times(captured)))
                        .get(0));
            }
            tape.backward(y.sum(0));
            assertThat(tape.gradient(x).toDoubles()).containsExactly(16, 24);
        }
    }

    @Test
    void namesTheOperationThatMissesAFrozenTensorFreedBeforeTheReplay() {
        try (Tape tape = session.startTape()) {
            Tensor x = tape.leaf(vector(2, 3));
            Tensor y;
            try (Scope scope = session.scope()) {
                Tensor frozen = vector(5, 7);
                y = scope.keep(
                        Tape.checkpoint(session, () -> List.of(x.times(frozen))).get(0));
            }
            Tensor sum = y.sum(0);
            assertThatThrownBy(() -> tape.backward(sum))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("times: the tensor Tensor[2] F64 was freed with its scope or its owner; keep it");
        }
    }

    @Test
    void noticesACapturedParameterThatChanged() {
        try (Constant parameter = constant(1, 2);
                Tape tape = session.startTape()) {
            Tensor p = tape.leaf(session.tensor(parameter));
            Tensor y = Tape.checkpoint(session, () -> List.of(p.exp())).get(0).sum(0);
            parameter.changed();
            assertThatThrownBy(() -> tape.backward(y))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("backward of checkpoint: a parameter of shape [2] was changed after the operation "
                            + "read it; differentiate before the update");
        }
    }
}
