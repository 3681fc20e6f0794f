package io.peftj.examples.cli;

import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.Updates.AdamW;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.train.BackboneContext;
import io.peftj.djl.train.Example;
import io.peftj.djl.train.Example.Assigned;
import io.peftj.djl.train.Objective;
import io.peftj.djl.train.OptimizerStep;
import io.peftj.djl.train.TrainableAdapter;
import java.util.List;
import java.util.stream.IntStream;

/** Training of a language model on full rows of random tokens, every token but a row's first learnt: work to be measured, nothing to learn. */
final class RandomTokenTraining implements AutoCloseable {
    /** The first ids of a vocabulary are special tokens. */
    private static final int FIRST_ID = 5;

    /** As torch.optim.AdamW has them by default. */
    private static final AdamW OPTIMIZER = new AdamW(1e-3, 0.9, 0.999, 1e-8, 0.01);

    private final Backbone base;
    private final int length;
    private final CounterRandom random = CounterRandom.of(0);
    private final TrainableAdapter trained;
    private final OptimizerStep optimizer;
    private long steps;

    /**
     * Starts a new adapter.
     *
     * @param length tokens of a row
     * @param checkpointing whether layers are computed again in the backward pass
     */
    RandomTokenTraining(Backbone base, AdapterConfig method, int length, boolean checkpointing) {
        this.base = base;
        this.length = length;
        BackboneSpec spec = base.spec();
        AdapterConfig config = AdapterMethods.complete(spec, method.withTaskType(TaskType.CAUSAL_LM));
        AdapterPlan plan = AdapterMethods.plan(spec, config);
        this.trained =
                TrainableAdapter.start(base, "adapter", plan, plan.initialise(new BackboneContext(base, spec, 0)));
        this.optimizer =
                new OptimizerStep(base, new Objective.NextToken(), List.of(trained), 0).recomputing(checkpointing);
    }

    /** Number of trained parameters. */
    long trainable() {
        return trained.plan().plan().trainableCount();
    }

    /** New rows for a step. */
    List<Assigned> rows(int count) {
        int prompt = trained.plan().plan().promptOfText(length);
        return IntStream.range(0, count)
                .mapToObj(row -> new Assigned(Example.answered(row, prompt, ids()), List.of(0)))
                .toList();
    }

    private int[] ids() {
        int vocabulary = base.spec().vocabulary();
        return IntStream.range(0, length)
                .map(token -> FIRST_ID + random.nextInt(vocabulary - FIRST_ID))
                .toArray();
    }

    /**
     * Forward, backward and an update.
     *
     * @return the mean loss a token, before the update
     */
    double step(List<Assigned> rows) {
        OptimizerStep.Settings settings = new OptimizerStep.Settings(OPTIMIZER, ++steps, null);
        return base.call("bench train", session -> optimizer.take(session, List.of(rows), settings))
                .loss();
    }

    @Override
    public void close() {
        trained.close();
    }
}
