package io.peftj.djl.train;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.run.Stack;
import io.peftj.core.run.Training;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.MemoryMeter;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.diagnose.PromptVectors;
import io.peftj.djl.train.Checkpoint.Best;
import io.peftj.djl.train.Checkpoint.Progress;
import io.peftj.djl.train.TrainingEvent.Reason;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One run of training: epochs of steps, an evaluation after each, the best adapter at the end. Used once. */
final class TrainingRun {
    /** Examples whose prompts are read to measure what an adapter makes of them. */
    private static final int MEASURED = 64;

    private final Backbone base;
    private final RunDescription description;
    private final Recipe recipe;
    private final Data data;
    private final TrainableAdapter trained;
    private final Function<Map<String, HostTensor>, Adapter> finished;
    private final TrainingListener listener;
    private final BooleanSupplier cancelled;
    private final @Nullable CheckpointStore store;
    private final @Nullable Checkpoint from;
    private final OptimizerStep optimizer;
    private final @Nullable UpperLevel upper;
    private final Evaluator evaluator;
    private final int[] lengths;
    private final long steps;
    private final Speed speed = new Speed();

    /** Whatever a listener does, it is called after this and the parameters agree again. */
    private Progress progress;

    private Map<String, HostTensor> good;

    /**
     * Examples as token ids.
     *
     * @param train to learn from
     * @param validation to evaluate on; may be empty
     */
    record Data(List<Example> train, List<Example> validation) {}

    /** What is to be done, and how that is described. */
    record Work(Recipe recipe, Objective objective, Data data, RunDescription description) {}

    /**
     * Who follows it.
     *
     * @param cancelled asked whether to stop
     * @param store keeps checkpoints; null for none
     */
    record Watch(
            TrainingListener listener,
            BooleanSupplier cancelled,
            @Nullable CheckpointStore store) {}

    /**
     * A run at its beginning, or where a checkpoint left it.
     *
     * @param trained at its beginning, or with the checkpoint's values
     * @param finished makes an adapter of stored parameters
     */
    TrainingRun(
            Backbone base,
            Work work,
            TrainableAdapter trained,
            Function<Map<String, HostTensor>, Adapter> finished,
            Watch watch,
            @Nullable Checkpoint from) {
        this.base = base;
        this.description = work.description();
        this.recipe = work.recipe();
        this.data = work.data();
        this.trained = trained;
        this.finished = finished;
        this.listener = watch.listener();
        this.cancelled = watch.cancelled();
        this.store = watch.store();
        this.from = from;
        this.optimizer = new OptimizerStep(base, work.objective(), List.of(trained), recipe.clipNorm())
                .recomputing(recipe.gradientCheckpointing());
        this.upper = recipe.bilevel() == null
                ? null
                : new UpperLevel(base, optimizer, recipe, recipe.bilevel(), data.validation());
        this.evaluator = new Evaluator(base, work.objective(), cancelled);
        this.lengths = data.train().stream().mapToInt(Example::length).toArray();
        long all = 0;
        for (int epoch = 1; epoch <= recipe.epochs(); epoch++) {
            all += batches(epoch).size();
        }
        this.steps = all;
        this.progress = from == null ? Progress.NONE : from.progress();
        this.good = trained.stored();
    }

    Adapter run() {
        Reason reason = Reason.FAILED;
        try {
            listener.onStart(started());
            if (from != null) {
                listener.onResume(resumed(from));
            }
            reason = epochs();
            Best best = progress.best();
            return finished.apply(best == null ? trained.stored() : best.stored());
        } catch (CancellationException e) {
            reason = Reason.CANCELLED;
            throw cancelled(e);
        } finally {
            listener.onEnd(new TrainingEvent.End(reason, progress.step(), speed.elapsed()));
        }
    }

    private TrainingEvent.Start started() {
        return new TrainingEvent.Start(
                finished.apply(good).type(),
                trained.plan().plan().trainableCount(),
                data.train().size(),
                data.validation().size(),
                recipe.epochs(),
                steps,
                description);
    }

    private TrainingEvent.Resumed resumed(Checkpoint checkpoint) {
        Best best = progress.best();
        return new TrainingEvent.Resumed(
                progress.step(),
                progress.epoch(),
                progress.lastLoss(),
                best == null ? null : best.result(),
                description.environmentOtherwiseIn(checkpoint.run()));
    }

    private Reason epochs() {
        while (progress.epoch() <= recipe.epochs()) {
            if (recipe.patience() > 0 && progress.notBetter() >= recipe.patience()) {
                return Reason.STOPPED_EARLY;
            }
            epoch(progress.epoch());
        }
        return Reason.COMPLETED;
    }

    /** What is left of an epoch: all of it, unless a checkpoint was written meanwhile. */
    private void epoch(int epoch) {
        List<List<Integer>> batches = batches(epoch);
        while (progress.batches() < batches.size()) {
            step(epoch, batches.get(progress.batches()));
            if (store != null && store.isDue(progress.step())) {
                save(store);
            }
        }
        double loss = progress.epochLoss() / batches.size();
        TrainingEvent.@Nullable Evaluated evaluated = data.validation().isEmpty() ? null : evaluate(epoch);
        TrainingEvent.@Nullable Measured measured = measure(epoch);
        progress = progress.afterEpoch();
        if (evaluated != null) {
            listener.onEvaluation(evaluated);
        }
        if (measured != null) {
            listener.onMeasurement(measured);
        }
        listener.onEpoch(new TrainingEvent.Epoch(epoch, recipe.epochs(), loss, speed.elapsed()));
        if (store != null) {
            save(store);
        }
    }

    private List<List<Integer>> batches(int epoch) {
        long key = CounterRandom.key(CounterRandom.key(recipe.seed(), "order"), epoch);
        return recipe.batching().batches(lengths, CounterRandom.of(key));
    }

    // ---- steps ----

    private void step(int epoch, List<Integer> batch) {
        checkCancelled();
        long began = System.nanoTime();
        long number = progress.step() + 1;
        OptimizerStep.Settings settings = new OptimizerStep.Settings(
                recipe.optimizer(progress.step(), steps),
                recipe.rateFactors(),
                number,
                new Training(recipe.seed(), number),
                parameter -> upper == null || !upper.changes(parameter));
        OptimizerStep.Result result;
        try {
            result = base.call(
                    "train",
                    cancelled,
                    session -> optimizer.take(session, recipe.portions(data.train(), batch), settings));
        } catch (NonFiniteLossException e) {
            throw stopped(epoch, batch, e);
        }
        if (upper != null) {
            stepAbove(upper, number);
        }
        progress = progress.afterStep(result.loss());
        long tokens = batch.stream().mapToLong(example -> lengths[example]).sum();
        Duration took = speed.step(began, tokens, batch.size());
        MemoryMeter memory = base.backend().memory();
        listener.onStep(new TrainingEvent.Step(
                number,
                steps,
                epoch,
                result.loss(),
                settings.optimizer().learningRate(),
                result.gradientNorms().get(0),
                tokens,
                took,
                speed.tokensPerSecond(),
                speed.examplesPerSecond(),
                speed.elapsed(),
                speed.forSteps(steps - number),
                memory.liveBytes(),
                memory.peakBytes()));
    }

    private void stepAbove(UpperLevel level, long number) {
        try {
            level.step(number, steps);
        } catch (NonFiniteLossException e) {
            throw new TrainingStoppedException(
                    e.getMessage()
                            + ", on validation rows, which the upper level learns from; lower the learning rates, or look at these rows",
                    lastGood(),
                    e);
        }
    }

    private void checkCancelled() {
        if (Thread.currentThread().isInterrupted() || cancelled.getAsBoolean()) {
            throw new CancellationException("cancelled between steps");
        }
    }

    // ---- evaluation ----

    private TrainingEvent.Evaluated evaluate(int epoch) {
        checkCancelled();
        Evaluation result = evaluator.evaluate(data.validation(), session -> Stack.of(trained.in(session)));
        Best before = progress.best();
        if (!Double.isFinite(result.loss())) {
            throw new TrainingStoppedException(
                    "the validation loss after epoch " + epoch + " is " + result.loss()
                            + "; lower the learning rate, or look at the validation rows",
                    finished.apply(before == null ? good : before.stored()));
        }
        good = trained.stored();
        progress = progress.afterEvaluation(new Best(good, result), recipe.metric());
        return new TrainingEvent.Evaluated(epoch, progress.step(), result, progress.notBetter() == 0);
    }

    /** How far nonlinearities are driven out of their ranges, where the adapter has such. */
    private TrainingEvent.@Nullable Measured measure(int epoch) {
        if (!PromptVectors.areMadeBy(trained.plan().plan())) {
            return null;
        }
        List<Example> some =
                data.train().subList(0, Math.min(MEASURED, data.train().size()));
        OptionalDouble outside = PromptVectors.of(
                        base,
                        trained::in,
                        stack -> some.stream()
                                .flatMap(example -> example.rows(stack).stream())
                                .toList(),
                        cancelled)
                .shareOutside();
        return outside.isEmpty()
                ? null
                : new TrainingEvent.Measured(
                        epoch, progress.step(), Map.of("activation_out_of_range", outside.getAsDouble()));
    }

    // ---- checkpoints ----

    private void save(CheckpointStore checkpoints) {
        Checkpoint checkpoint = new Checkpoint(description, progress, trained.states());
        if (checkpoint.isFinite()) { // otherwise the next step stops the run, and the one before can be resumed from
            listener.onCheckpoint(new TrainingEvent.Saved(progress.step(), checkpoints.write(checkpoint)));
        }
    }

    // ---- what is kept when something goes wrong ----

    private TrainingCancelledException cancelled(CancellationException cause) {
        TrainingCancelledException cancellation = new TrainingCancelledException(
                "training was cancelled after step " + progress.step() + " of " + steps, lastGood());
        cancellation.initCause(cause);
        try {
            if (store != null) {
                save(store);
            }
        } catch (RuntimeException e) {
            cancellation.addSuppressed(e);
        }
        return cancellation;
    }

    private TrainingStoppedException stopped(int epoch, List<Integer> batch, NonFiniteLossException cause) {
        return new TrainingStoppedException(
                cause.getMessage() + ", in epoch " + epoch + ", on the examples "
                        + batch.stream()
                                .map(example -> data.train().get(example).number())
                                .toList()
                        + "; nothing was changed by the step; lower the learning rate, or look at these rows",
                lastGood(),
                cause);
    }

    /** The adapter as it is, unless the last step made it overflow. */
    private Adapter lastGood() {
        Map<String, HostTensor> stored = trained.stored();
        return finished.apply(Checkpoint.isFinite(stored.values()) ? stored : good);
    }
}
