package io.peftj.djl.train;

import io.peftj.core.run.Training;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.Session;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.train.Example.Assigned;
import java.util.List;

/** The steps of {@link Bilevel}'s upper level: batches of its rows in one order after another, decided by the seed and the step's number alone. */
final class UpperLevel {
    private final Backbone base;
    private final OptimizerStep optimizer;
    private final Recipe recipe;
    private final Bilevel bilevel;
    private final List<Example> examples;
    private final int[] lengths;

    private int round;
    private long before;
    private List<List<Integer>> batches;

    UpperLevel(Backbone base, OptimizerStep optimizer, Recipe recipe, Bilevel bilevel, List<Example> examples) {
        this.base = base;
        this.optimizer = optimizer;
        this.recipe = recipe;
        this.bilevel = bilevel;
        this.examples = examples;
        this.lengths = examples.stream().mapToInt(Example::length).toArray();
        this.batches = batches(0);
    }

    /** Whether a parameter is this level's. */
    boolean changes(String parameter) {
        return bilevel.has(parameter);
    }

    /**
     * Takes the step that follows one on training rows. It is not cancelled: the two are one step of the run.
     *
     * @param number of the run's step, rising from 1
     */
    void step(long number, long steps) {
        List<List<Assigned>> batch = recipe.portions(examples, batch(number - 1));
        OptimizerStep.Settings settings = new OptimizerStep.Settings(
                recipe.optimizer(bilevel.learningRate(), number - 1, steps),
                recipe.rateFactors(),
                number,
                new Training(CounterRandom.key(recipe.seed(), "upper level"), number),
                this::changes);
        base.backend().callUninterrupted(() -> {
            try (Session session = Session.open(base.backend())) {
                return optimizer.take(session, batch, settings);
            }
        });
    }

    private List<Integer> batch(long number) {
        while (number >= before + batches.size()) {
            before += batches.size();
            round++;
            batches = batches(round);
        }
        return batches.get((int) (number - before));
    }

    private List<List<Integer>> batches(int number) {
        long key = CounterRandom.key(CounterRandom.key(recipe.seed(), "upper level's order"), number);
        return recipe.batching().batches(lengths, CounterRandom.of(key));
    }
}
