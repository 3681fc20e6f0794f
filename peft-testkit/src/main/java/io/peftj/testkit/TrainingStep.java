package io.peftj.testkit;

import io.peftj.core.tensor.Activation;
import io.peftj.core.tensor.AttentionPrefix;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Layout;
import io.peftj.core.tensor.Scope;
import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tape;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Updates.AdamW;
import io.peftj.core.tensor.Updates.Moments;
import io.peftj.core.tensor.Weight;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * One training step of a tiny transformer layer, checkpointed, with grouped LoRA and a prefix: it touches every part of the tape, and gives all its
 * memory back.
 */
final class TrainingStep {
    private static final int WIDTH = 8;
    private static final int HEADS = 2;
    private static final int CLASSES = 5;

    private final Backend backend;
    private final CounterRandom random = CounterRandom.of(1);
    private final Map<String, Constant> constants = new LinkedHashMap<>();
    private final Map<String, Weight> weights = new LinkedHashMap<>();

    private TrainingStep(Backend backend) {
        this.backend = backend;
    }

    /** Loads, steps and frees. */
    static void run(Backend backend) {
        backend.call(() -> {
            TrainingStep step = new TrainingStep(backend);
            try {
                step.load();
                step.step();
            } finally {
                step.free();
            }
            return null;
        });
    }

    private void load() {
        for (String name : List.of("query", "key", "value", "gate", "up", "down")) {
            weights.put(name, backend.weight(random.normal(Shape.of(WIDTH, WIDTH), 0.3), DType.F32));
        }
        weights.put("head", backend.weight(random.normal(Shape.of(CLASSES, WIDTH), 0.3), DType.F32));
        load("norm", WIDTH);
        load("a", 2, 2, WIDTH);
        load("b", 2, WIDTH, 2);
        load("prefix keys", 3, HEADS, WIDTH / HEADS);
        load("prefix values", 3, HEADS, WIDTH / HEADS);
    }

    private void load(String name, int... dims) {
        constants.put(name, Constant.of(backend, random.normal(Shape.of(dims), 0.5), DType.F32));
    }

    private void step() {
        List<String> trained = List.of("a", "b", "prefix keys", "prefix values");
        List<Moments> moments = new ArrayList<>();
        for (String name : trained) {
            Shape shape = constant(name).shape();
            constants.put(name + " first", Constant.of(backend, HostTensor.filled(shape, 0), DType.F32));
            constants.put(name + " second", Constant.of(backend, HostTensor.filled(shape, 0), DType.F32));
            moments.add(new Moments(constant(name), constant(name + " first"), constant(name + " second")));
        }
        try (Session session = Session.open(backend);
                Tape tape = session.startTape()) {
            List<Tensor> leaves = trained.stream()
                    .map(name -> tape.leaf(session.tensor(constant(name))))
                    .toList();
            tape.backward(loss(session, leaves));
            List<Tensor> gradients = leaves.stream().map(tape::gradient).toList();
            AdamW settings = new AdamW(1e-2, 0.9, 0.999, 1e-8, 0);
            backend.updates().adamW(moments, gradients, List.of(settings, settings, settings, settings), 1);
        }
    }

    private Tensor loss(Session session, List<Tensor> leaves) {
        Layout layout = Layout.of(session, 2, 3);
        Tensor x = session.tensor(random.normal(Shape.of(layout.tokens(), WIDTH), 1));
        for (int layer = 0; layer < 2; layer++) {
            try (Scope scope = session.scope()) {
                Tensor input = x;
                List<Tensor> output = Tape.checkpoint(session, () -> List.of(layer(session, layout, input, leaves)));
                x = scope.keep(output.get(0));
            }
        }
        Tensor losses = session.tensor(HostTensor.filled(Shape.of(layout.tokens()), 0.2f));
        return x.linearCrossEntropy(weight("head"), session.index(0, 1, 2, 3, 4), losses)
                .sum();
    }

    private Tensor layer(Session session, Layout layout, Tensor x, List<Tensor> leaves) {
        Segments groups = Segments.of(session, new int[] {0, 2, 5}, new int[] {1, 0}, 2);
        Tensor normed = x.rmsNorm(session.tensor(constant("norm")), 1e-5);
        // Parameters are used twice, so that passing a gradient on is a sum, which may fail too.
        Tensor q = heads(normed.linear(weight("query"), null).plus(delta(normed, leaves, groups)));
        Tensor k = heads(normed.linear(weight("key"), null));
        Tensor v = heads(normed.linear(weight("value"), null).plus(delta(normed, leaves, groups)));
        List<AttentionPrefix> prefixes = List.of(
                new AttentionPrefix(0, 2, leaves.get(2), leaves.get(3)),
                new AttentionPrefix(2, 5, leaves.get(2), leaves.get(3)));
        Tensor attended = q.attention(k, v, layout, true, 0.5, prefixes);
        Tensor h = x.plus(attended.reshape(layout.tokens(), WIDTH));
        Tensor gate = h.linear(weight("gate"), null);
        Tensor up = h.linear(weight("up"), null);
        return h.plus(gate.gatedActivation(up, Activation.SILU).linear(weight("down"), null));
    }

    private static Tensor delta(Tensor x, List<Tensor> leaves, Segments groups) {
        return x.lowRankDelta(leaves.get(0), leaves.get(1), groups, null);
    }

    private static Tensor heads(Tensor x) {
        return x.reshape(x.shape().dim(0), HEADS, WIDTH / HEADS);
    }

    private Constant constant(String name) {
        return Objects.requireNonNull(constants.get(name), name);
    }

    private Weight weight(String name) {
        return Objects.requireNonNull(weights.get(name), name);
    }

    private void free() {
        constants.values().forEach(Constant::close);
        weights.values().forEach(backend::free);
    }
}
