package io.peftj.djl.train;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.run.Stack;
import io.peftj.core.run.Training;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.HostTensor;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.train.Example.Assigned;
import io.peftj.djl.train.TrainingEvent.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One run of training: epochs of steps, an evaluation after each, the best adapter at the end. Used once. */
final class TrainingRun {
    private final Backbone base;
    private final Recipe recipe;
    private final Data data;
    private final TrainableAdapter trained;
    private final Function<Map<String, HostTensor>, Adapter> finished;
    private final TrainingListener listener;
    private final BooleanSupplier cancelled;
    private final OptimizerStep optimizer;
    private final Evaluator evaluator;
    private final int[] lengths;
    private final long steps;
    private final Speed speed = new Speed();

    private long step;
    private Map<String, HostTensor> good;
    private @Nullable Best best;
    private int notBetter;

    /**
     * Examples as token ids.
     *
     * @param train to learn from
     * @param validation to evaluate on; may be empty
     */
    record Data(List<Example> train, List<Example> validation) {}

    /** The best adapter so far. */
    private record Best(Map<String, HostTensor> stored, Evaluation result) {}

    TrainingRun(
            Backbone base,
            Recipe recipe,
            Objective objective,
            Data data,
            TrainableAdapter trained,
            Function<Map<String, HostTensor>, Adapter> finished,
            TrainingListener listener,
            BooleanSupplier cancelled) {
        this.base = base;
        this.recipe = recipe;
        this.data = data;
        this.trained = trained;
        this.finished = finished;
        this.listener = listener;
        this.cancelled = cancelled;
        this.optimizer = new OptimizerStep(base, objective, List.of(trained), recipe.clipNorm());
        this.evaluator = new Evaluator(base, objective, cancelled);
        this.lengths = data.train().stream().mapToInt(Example::length).toArray();
        long all = 0;
        for (int epoch = 1; epoch <= recipe.epochs(); epoch++) {
            all += batches(epoch).size();
        }
        this.steps = all;
        this.good = trained.stored();
    }

    Adapter run() {
        Reason reason = Reason.FAILED;
        try {
            listener.onStart(started());
            reason = epochs();
            return finished.apply(best == null ? trained.stored() : best.stored());
        } catch (CancellationException e) {
            reason = Reason.CANCELLED;
            TrainingCancelledException cancellation = new TrainingCancelledException(
                    "training was cancelled after step " + step + " of " + steps, lastGood());
            cancellation.initCause(e);
            throw cancellation;
        } finally {
            listener.onEnd(new TrainingEvent.End(reason, step, speed.elapsed()));
        }
    }

    private TrainingEvent.Start started() {
        return new TrainingEvent.Start(
                finished.apply(good).type(),
                trained.plan().plan().trainableCount(),
                data.train().size(),
                data.validation().size(),
                recipe.epochs(),
                steps);
    }

    private Reason epochs() {
        for (int epoch = 1; epoch <= recipe.epochs(); epoch++) {
            List<List<Integer>> batches = batches(epoch);
            double loss = 0;
            for (List<Integer> batch : batches) {
                loss += step(epoch, batch);
            }
            boolean enough = !data.validation().isEmpty() && evaluate(epoch);
            listener.onEpoch(new TrainingEvent.Epoch(epoch, recipe.epochs(), loss / batches.size(), speed.elapsed()));
            if (enough && epoch < recipe.epochs()) {
                return Reason.STOPPED_EARLY;
            }
        }
        return Reason.COMPLETED;
    }

    private List<List<Integer>> batches(int epoch) {
        long key = CounterRandom.key(CounterRandom.key(recipe.seed(), "order"), epoch);
        return recipe.batching().batches(lengths, CounterRandom.of(key));
    }

    // ---- steps ----

    private double step(int epoch, List<Integer> batch) {
        checkCancelled();
        long began = System.nanoTime();
        long number = step + 1;
        OptimizerStep.Settings settings =
                new OptimizerStep.Settings(recipe.optimizer(step, steps), number, new Training(recipe.seed(), number));
        OptimizerStep.Result result;
        try {
            result = base.call("train", cancelled, session -> optimizer.take(session, microBatches(batch), settings));
        } catch (NonFiniteLossException e) {
            throw stopped(epoch, batch, e);
        }
        step = number;
        speed.step(began, batch.stream().mapToLong(example -> lengths[example]).sum(), batch.size());
        listener.onStep(new TrainingEvent.Step(
                step,
                steps,
                epoch,
                result.loss(),
                settings.optimizer().learningRate(),
                result.gradientNorms().get(0),
                speed.tokensPerSecond(),
                speed.examplesPerSecond(),
                speed.elapsed(),
                speed.forSteps(steps - step)));
        return result.loss();
    }

    private List<List<Assigned>> microBatches(List<Integer> batch) {
        int rows = recipe.microBatch() == 0 ? batch.size() : recipe.microBatch();
        List<List<Assigned>> portions = new ArrayList<>();
        for (int from = 0; from < batch.size(); from += rows) {
            portions.add(batch.subList(from, Math.min(batch.size(), from + rows)).stream()
                    .map(example -> new Assigned(data.train().get(example), List.of(0)))
                    .toList());
        }
        return portions;
    }

    private void checkCancelled() {
        if (Thread.currentThread().isInterrupted() || cancelled.getAsBoolean()) {
            throw new CancellationException("cancelled between steps");
        }
    }

    // ---- evaluation ----

    /** Whether early stopping has waited long enough. */
    private boolean evaluate(int epoch) {
        checkCancelled();
        Evaluation result = evaluator.evaluate(data.validation(), session -> Stack.of(trained.in(session)));
        if (!Double.isFinite(result.loss())) {
            throw new TrainingStoppedException(
                    "the validation loss after epoch " + epoch + " is " + result.loss()
                            + "; lower the learning rate, or look at the validation rows",
                    finished.apply(best == null ? good : best.stored()));
        }
        Map<String, HostTensor> stored = trained.stored();
        good = stored;
        boolean better = best == null || result.betterThan(best.result());
        if (better) {
            best = new Best(stored, result);
        }
        notBetter = better ? 0 : notBetter + 1;
        listener.onEvaluation(new TrainingEvent.Evaluated(epoch, step, result, better));
        return recipe.patience() > 0 && notBetter >= recipe.patience();
    }

    // ---- what is kept when something goes wrong ----

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
        return finished.apply(isFinite(stored) ? stored : good);
    }

    private static boolean isFinite(Map<String, HostTensor> parameters) {
        for (HostTensor parameter : parameters.values()) {
            for (float value : parameter.values()) {
                if (!Float.isFinite(value)) {
                    return false;
                }
            }
        }
        return true;
    }
}
