package io.peftj.djl.train;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.tensor.Updates.AdamW;
import io.peftj.djl.train.Example.Assigned;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The numbers of a training run.
 *
 * @param epochs how often the examples are gone through
 * @param batching how examples become batches
 * @param microBatch the most rows computed at once; 0 for whole batches
 * @param gradientCheckpointing whether layers are computed again in the backward pass; on a processor it changes no bit of a step in single precision
 * @param optimizer the optimiser's settings at the schedule's height
 * @param rateFactors factors of the learning rate by the end of a parameter's name
 * @param schedule how the learning rate changes
 * @param clipNorm the most a gradient may measure; 0 for no limit
 * @param seed of all random draws
 * @param patience epochs without improvement after which training stops; 0 for never
 * @param metric what decides which evaluation is the best
 * @param bilevel which parameters learn from the validation rows; null for none
 */
record Recipe(
        int epochs,
        Batching batching,
        int microBatch,
        boolean gradientCheckpointing,
        AdamW optimizer,
        Map<String, Double> rateFactors,
        Schedule schedule,
        double clipNorm,
        long seed,
        int patience,
        Metric metric,
        @Nullable Bilevel bilevel) {
    Recipe {
        check(epochs >= 1, "epochs", "at least 1", epochs);
        check(microBatch >= 0, "rows of a micro-batch", "at least 0", microBatch);
        check(positive(optimizer.learningRate()), "the learning rate", "a number above 0", optimizer.learningRate());
        check(share(optimizer.beta1()), "the first beta", "0 to below 1", optimizer.beta1());
        check(share(optimizer.beta2()), "the second beta", "0 to below 1", optimizer.beta2());
        check(positive(optimizer.eps()), "epsilon", "a number above 0", optimizer.eps());
        check(optimizer.weightDecay() >= 0, "the weight decay", "0 or more", optimizer.weightDecay());
        rateFactors = Map.copyOf(rateFactors);
        rateFactors.forEach((name, factor) ->
                check(positive(factor), "the learning rate's factor for \"" + name + "\"", "a number above 0", factor));
        check(clipNorm >= 0, "the gradient norm to clip to", "0 or more", clipNorm);
        check(patience >= 0, "the patience of early stopping", "at least 0", patience);
    }

    /**
     * Checks that each factor is of some parameter.
     *
     * @throws InvalidConfigException if not
     */
    void checkNames(List<ParameterSpec> parameters) {
        if (bilevel != null) {
            bilevel.endsOfNames().forEach(end -> requireOne(parameters, end, "the upper level has"));
            if (parameters.stream().allMatch(parameter -> bilevel.has(parameter.name()))) {
                throw new InvalidConfigException("the upper level has all parameters, those whose names end in one of "
                        + bilevel.endsOfNames() + "; leave some for the training rows");
            }
        }
        rateFactors.keySet().forEach(end -> requireOne(parameters, end, "the learning rate has a factor for"));
    }

    private static void requireOne(List<ParameterSpec> parameters, String end, String what) {
        if (parameters.stream().noneMatch(parameter -> parameter.name().endsWith(end))) {
            throw new InvalidConfigException(what + " parameters whose names end in \"" + end
                    + "\", but none of those that are trained does, such as "
                    + parameters.get(0).name() + "; leave it out");
        }
    }

    /** A batch, some of the examples by number, in the portions that are computed at once. */
    List<List<Assigned>> portions(List<Example> examples, List<Integer> batch) {
        int rows = microBatch == 0 ? batch.size() : microBatch;
        List<List<Assigned>> portions = new ArrayList<>();
        for (int from = 0; from < batch.size(); from += rows) {
            portions.add(batch.subList(from, Math.min(batch.size(), from + rows)).stream()
                    .map(example -> new Assigned(examples.get(example), List.of(0)))
                    .toList());
        }
        return portions;
    }

    /** The optimiser's settings in a step. */
    AdamW optimizer(long step, long steps) {
        return optimizer(optimizer.learningRate(), step, steps);
    }

    /** The optimiser's settings in a step with another learning rate at the schedule's height. */
    AdamW optimizer(double learningRate, long step, long steps) {
        double rate = learningRate * schedule.factor(step, steps);
        return new AdamW(rate, optimizer.beta1(), optimizer.beta2(), optimizer.eps(), optimizer.weightDecay());
    }

    private static boolean positive(double value) {
        return value > 0 && Double.isFinite(value);
    }

    private static boolean share(double value) {
        return value >= 0 && value < 1;
    }

    private static void check(boolean holds, String what, String expected, Number found) {
        if (!holds) {
            throw new IllegalArgumentException(what + ": expected " + expected + ", found " + found);
        }
    }
}
