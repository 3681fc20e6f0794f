package io.peftj.djl.train;

import io.peftj.core.PeftException;
import io.peftj.core.run.ActiveAdapter;
import io.peftj.core.run.Batch;
import io.peftj.core.run.Row;
import io.peftj.core.run.Run;
import io.peftj.core.run.Stack;
import io.peftj.core.run.Training;
import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.Loss;
import io.peftj.core.tensor.Scope;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Tape;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Updates;
import io.peftj.core.tensor.Updates.Moments;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Parts;
import io.peftj.djl.train.Example.Assigned;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One step of the optimiser: effective parameters derived once, micro-batches forward and back, gradients summed, clipped an adapter, applied.
 *
 * <p>Every learnt thing of rows with one stack of adapters weighs the same in the whole step, so accumulating micro-batches equals one large batch, and
 * each stack of a mixed batch trains as if alone. Nothing is changed unless all gradients are finite.
 */
public final class OptimizerStep {
    private final Backbone base;
    private final Objective objective;
    private final List<TrainableAdapter> adapters;
    private final double clipNorm;
    private final boolean recomputing;

    /**
     * Steps for some adapters.
     *
     * @param clipNorm the most that an adapter's gradient may measure, as a Euclidean norm; 0 for no limit
     */
    public OptimizerStep(Backbone base, Objective objective, List<TrainableAdapter> adapters, double clipNorm) {
        this(base, objective, adapters, clipNorm, false);
    }

    private OptimizerStep(
            Backbone base, Objective objective, List<TrainableAdapter> adapters, double clipNorm, boolean recomputing) {
        this.base = base;
        this.objective = objective;
        this.adapters = List.copyOf(adapters);
        this.clipNorm = clipNorm;
        this.recomputing = recomputing;
    }

    /** The same steps with less memory, if it is asked for: layers are computed again in the backward pass, as {@link Run#recomputing} has it. */
    public OptimizerStep recomputing(boolean asked) {
        return new OptimizerStep(base, objective, adapters, clipNorm, asked);
    }

    /**
     * How one step is taken.
     *
     * @param rateFactors factors of the learning rate by the end of a parameter's name
     * @param changes which parameters the step changes, by name; the gradient's norm is of these alone
     */
    public record Settings(
            Updates.AdamW optimizer,
            Map<String, Double> rateFactors,
            long number,
            @Nullable Training dropout,
            Predicate<String> changes) {
        /** A step with one learning rate for all parameters. */
        public Settings(Updates.AdamW optimizer, long number, @Nullable Training dropout) {
            this(optimizer, Map.of(), number, dropout, parameter -> true);
        }

        /** Keeps a copy. */
        public Settings {
            rateFactors = Map.copyOf(rateFactors);
        }

        Updates.AdamW of(String parameter) {
            double factor = rateFactors.entrySet().stream()
                    .filter(entry -> parameter.endsWith(entry.getKey()))
                    .mapToDouble(Map.Entry::getValue)
                    .findFirst()
                    .orElse(1);
            return new Updates.AdamW(
                    optimizer.learningRate() * factor,
                    optimizer.beta1(),
                    optimizer.beta2(),
                    optimizer.eps(),
                    optimizer.weightDecay());
        }
    }

    /**
     * What a step gave.
     *
     * @param loss the mean loss of each stack, summed over stacks: for one stack the mean over what was learnt
     * @param gradientNorms of each adapter, before clipping
     */
    public record Result(double loss, List<Double> gradientNorms) {
        /** Keeps a copy. */
        public Result {
            gradientNorms = List.copyOf(gradientNorms);
        }
    }

    /**
     * Takes a step in a session.
     *
     * @param microBatches the examples, in the portions that fit into memory
     * @throws NonFiniteLossException if the loss or a gradient is not finite; nothing was changed
     */
    public Result take(Session session, List<List<Assigned>> microBatches, Settings settings) {
        if (microBatches.size() > 1 && !objective.isRowWise()) {
            throw new IllegalArgumentException("the loss compares the rows of a step with each other: expected one"
                    + " micro-batch, found " + microBatches.size() + "; give the whole step at once");
        }
        try (Tape derivation = session.startTape()) {
            List<Derived> derived = adapters.stream()
                    .map(adapter -> derive(session, derivation, adapter))
                    .toList();
            Map<List<Integer>, Float> weights = weights(microBatches);
            double loss = 0;
            for (List<Assigned> microBatch : microBatches) {
                // What weighs nothing need not be computed.
                List<Assigned> learning = microBatch.stream()
                        .filter(row ->
                                !row.adapters().isEmpty() && row.example().learnt() > 0)
                        .toList();
                if (!learning.isEmpty()) {
                    loss += accumulate(session, derived, learning, weights, settings);
                }
            }
            if (!Double.isFinite(loss)) {
                throw new NonFiniteLossException("the loss of step " + settings.number() + " is " + loss);
            }
            differentiate(derivation, derived);
            return apply(derivation, derived, settings, loss);
        }
    }

    /** An adapter's parameters in this step: raw leaves, effective values, and the sum of their gradients so far. */
    private record Derived(
            TrainableAdapter adapter,
            Map<String, Tensor> raw,
            Map<String, Tensor> effective,
            Map<String, Tensor> gradients) {}

    private static Derived derive(Session session, Tape derivation, TrainableAdapter adapter) {
        Map<String, Tensor> raw = new LinkedHashMap<>();
        adapter.parameters()
                .forEach((name, moments) -> raw.put(name, derivation.leaf(session.tensor(moments.parameter()))));
        return new Derived(adapter, raw, adapter.effective(raw), new HashMap<>());
    }

    /** 1 / (what rows with the same stack count in the whole step). */
    private Map<List<Integer>, Float> weights(List<List<Assigned>> microBatches) {
        Map<List<Integer>, Double> counts = new HashMap<>();
        for (List<Assigned> microBatch : microBatches) {
            for (Assigned assigned : microBatch) {
                counts.merge(assigned.adapters(), objective.count(assigned.example()), Double::sum);
            }
        }
        Map<List<Integer>, Float> weights = new HashMap<>();
        counts.forEach((stack, count) -> weights.put(stack, count == 0 ? 0 : (float) (1 / count)));
        return weights;
    }

    private List<List<Assigned>> parts(List<Assigned> microBatch) {
        return Parts.of(
                        microBatch,
                        row -> row.example().length(),
                        base.backend().lanes())
                .stream()
                .map(places -> places.stream().map(microBatch::get).toList())
                .toList();
    }

    /** Adds a micro-batch's gradients to the sums, computing as many parts of it side by side as the backend can. */
    private double accumulate(
            Session session,
            List<Derived> derived,
            List<Assigned> microBatch,
            Map<List<Integer>, Float> weights,
            Settings settings) {
        List<List<Assigned>> parts = objective.isRowWise() ? parts(microBatch) : List.of(microBatch);
        List<Gradients> done = new ArrayList<>(Collections.nCopies(parts.size(), new Gradients(0, List.of())));
        try {
            List<Callable<Boolean>> tasks = new ArrayList<>();
            for (int p = 0; p < parts.size(); p++) {
                int part = p;
                tasks.add(() -> {
                    try (Session own = session.openPart()) {
                        done.set(part, own.deferred(() -> gradients(own, derived, parts.get(part), weights, settings)));
                        return true;
                    }
                });
            }
            base.backend().callAll(tasks);
            double loss = 0;
            for (Gradients gradients : done) { // always in this order, so that equal runs give equal sums
                loss += gradients.loss();
                gradients.addTo(session, derived);
            }
            return loss;
        } finally {
            done.forEach(Gradients::close);
        }
    }

    /**
     * What a part of a micro-batch gives.
     *
     * @param ofAdapters each adapter's gradients of its effective parameters by name
     */
    private record Gradients(double loss, List<Map<String, Constant>> ofAdapters) implements AutoCloseable {
        void addTo(Session session, List<Derived> derived) {
            for (int a = 0; a < ofAdapters.size(); a++) {
                Map<String, Tensor> sums = derived.get(a).gradients();
                ofAdapters.get(a).forEach((name, constant) -> {
                    try (Scope scope = session.scope()) {
                        Tensor before = sums.get(name);
                        sums.put(
                                name,
                                before == null
                                        ? scope.keep(session.own(constant))
                                        : scope.keepInPlaceOf(before, before.plus(session.tensor(constant))));
                    }
                });
            }
        }

        @Override
        public void close() {
            ofAdapters.forEach(gradients -> gradients.values().forEach(Constant::close));
        }
    }

    private Gradients gradients(
            Session session,
            List<Derived> derived,
            List<Assigned> rows,
            Map<List<Integer>, Float> weights,
            Settings settings) {
        try (Tape tape = session.startTape()) {
            List<Map<String, Tensor>> leaves = new ArrayList<>();
            List<ActiveAdapter> active = new ArrayList<>();
            for (Derived one : derived) {
                Map<String, Tensor> effective = new LinkedHashMap<>();
                one.effective().forEach((name, value) -> effective.put(name, tape.leaf(session.borrow(value))));
                leaves.add(effective);
                active.add(new ActiveAdapter(one.adapter().name(), one.adapter().plan(), effective));
            }
            Loss loss = loss(session, active, rows, weights, settings);
            tape.backward(loss.sum());
            double value = loss.sum().toHost().values()[0];
            List<Map<String, Constant>> ofAdapters = new ArrayList<>();
            for (Map<String, Tensor> ofAdapter : leaves) {
                Map<String, Constant> gradients = new LinkedHashMap<>();
                ofAdapter.forEach((name, leaf) -> {
                    Tensor gradient = tape.gradient(leaf);
                    if (gradient != null) {
                        gradients.put(name, Constant.sharing(gradient));
                    }
                });
                ofAdapters.add(gradients);
            }
            return new Gradients(value, ofAdapters);
        }
    }

    private Loss loss(
            Session session,
            List<ActiveAdapter> active,
            List<Assigned> microBatch,
            Map<List<Integer>, Float> weights,
            Settings settings) {
        // Rows with equal numbers share one stack, which is what groups them in the batch.
        Map<List<Integer>, Stack> stacks = new HashMap<>();
        List<Row> rows = new ArrayList<>();
        List<Example> examples = new ArrayList<>();
        List<Float> each = new ArrayList<>();
        for (Assigned assigned : microBatch) {
            Stack stack = stacks.computeIfAbsent(
                    assigned.adapters(),
                    numbers -> new Stack(numbers.stream().map(active::get).toList()));
            rows.addAll(assigned.example().rows(stack));
            examples.add(assigned.example());
            each.add(Objects.requireNonNull(weights.get(assigned.adapters())));
        }
        Batch batch = Batch.of(session, base.spec(), rows);
        Run run = recomputing
                ? Run.recomputing(session, batch, settings.dropout())
                : new Run(session, batch, settings.dropout());
        return objective.loss(base, run, examples, each);
    }

    private static void differentiate(Tape derivation, List<Derived> derived) {
        List<Tensor> values = new ArrayList<>();
        List<Tensor> cotangents = new ArrayList<>();
        for (Derived one : derived) {
            one.gradients().forEach((name, gradient) -> {
                values.add(one.effective().get(name));
                cotangents.add(gradient);
            });
        }
        if (values.isEmpty()) {
            throw new PeftException(
                    "the loss depends on no trainable parameter; check that the examples' rows carry the adapters that are trained");
        }
        derivation.backward(values, cotangents);
    }

    private Result apply(Tape derivation, List<Derived> derived, Settings settings, double loss) {
        Updates updates = base.backend().updates();
        List<Double> norms = new ArrayList<>();
        List<Moments> parameters = new ArrayList<>();
        List<Tensor> gradients = new ArrayList<>();
        List<Updates.AdamW> each = new ArrayList<>();
        for (Derived one : derived) {
            List<Tensor> ofAdapter = new ArrayList<>();
            one.raw().forEach((name, leaf) -> {
                Tensor gradient = derivation.gradient(leaf);
                if (gradient != null && settings.changes().test(name)) {
                    ofAdapter.add(gradient);
                    parameters.add(one.adapter().parameters().get(name));
                    each.add(settings.of(name));
                }
            });
            double norm = ofAdapter.isEmpty() ? 0 : updates.norm(ofAdapter);
            if (!Double.isFinite(norm)) {
                throw new NonFiniteLossException("the gradient of adapter "
                        + one.adapter().name() + " in step " + settings.number() + " is not finite");
            }
            norms.add(norm);
            // As torch.nn.utils.clip_grad_norm_ has it.
            double scale = clipNorm > 0 ? Math.min(1, clipNorm / (norm + 1e-6)) : 1;
            ofAdapter.forEach(gradient -> gradients.add(scale < 1 ? gradient.affine(scale, 0) : gradient));
        }
        updates.adamW(parameters, gradients, each, settings.number());
        return new Result(loss, norms);
    }
}
