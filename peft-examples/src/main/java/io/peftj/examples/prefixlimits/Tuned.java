package io.peftj.examples.prefixlimits;

import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.Updates.AdamW;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.PaddedLogits;
import io.peftj.djl.train.BackboneContext;
import io.peftj.djl.train.Example;
import io.peftj.djl.train.Example.Assigned;
import io.peftj.djl.train.Objective;
import io.peftj.djl.train.OptimizerStep;
import io.peftj.djl.train.TrainableAdapter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Trains an adapter on tasks over sequences of digits, and measures how many sequences it answers without a mistake. */
final class Tuned {
    /** Digits of a question, and of its answer. */
    static final int LENGTH = 10;

    /** What stands before a question where no virtual tokens do, so that digits keep the positions they were learnt at. */
    static final int START = Task.DIGITS;

    private static final int BATCH = 64;
    private static final int REPORTED = 1000;
    private static final int TESTED = 1000;
    private static final double WARM_UP = 0.02;

    private Tuned() {}

    /**
     * How something is trained: AdamW on 64 fresh sequences a step, linear decay after 2 % warm-up, gradients clipped to 1.
     *
     * @param config what is trained
     * @param tasks of which each sequence has one, drawn anew
     * @param starts how many start tokens rows begin with
     */
    record Recipe(AdapterConfig config, List<Task> tasks, int starts, int steps, double rate) {}

    /** Trains. */
    static ResidentAdapter train(Backbone base, String name, Recipe recipe, long seed) {
        AdapterPlan plan = AdapterMethods.plan(base.spec(), AdapterMethods.complete(base.spec(), recipe.config()));
        CounterRandom random = CounterRandom.of(CounterRandom.key(seed, name));
        try (TrainableAdapter trained = TrainableAdapter.start(
                base, name, plan, plan.initialise(new BackboneContext(base, base.spec(), seed)))) {
            OptimizerStep step = new OptimizerStep(base, new Objective.NextToken(), List.of(trained), 1);
            double sum = 0;
            for (int s = 1; s <= recipe.steps(); s++) {
                List<Assigned> batch = batch(recipe, random, s);
                OptimizerStep.Settings settings =
                        new OptimizerStep.Settings(new AdamW(rate(recipe, s), 0.9, 0.95, 1e-8, 0), s, null);
                sum += base.call("step", session -> step.take(session, List.of(batch), settings))
                        .loss();
                if (s % REPORTED == 0) {
                    System.err.printf("%s: step %,d of %,d, loss %.4f%n", name, s, recipe.steps(), sum / REPORTED);
                    sum = 0;
                }
            }
            return ResidentAdapter.load(base, name, plan, trained.stored());
        }
    }

    private static double rate(Recipe recipe, int step) {
        double warmUp = WARM_UP * recipe.steps();
        double left = (recipe.steps() - step + 1) / (recipe.steps() - warmUp);
        return recipe.rate() * Math.min(step / warmUp, Math.min(1, left));
    }

    private static List<Assigned> batch(Recipe recipe, CounterRandom random, int step) {
        List<Assigned> batch = new ArrayList<>();
        for (int i = 0; i < BATCH; i++) {
            Task task = recipe.tasks().get(random.nextInt(recipe.tasks().size()));
            int[] row = row(task, recipe.starts(), random);
            long number = (long) step * BATCH + i;
            batch.add(new Assigned(Example.answered(number, row.length - LENGTH, row), List.of(0)));
        }
        return batch;
    }

    /** A question and its answer. */
    private static int[] row(Task task, int starts, CounterRandom random) {
        int[] digits = new int[LENGTH];
        int[] answer;
        do {
            Arrays.setAll(digits, i -> random.nextInt(Task.DIGITS));
            answer = task.answer(digits);
            // No token stands for the nine times that a digit occurs in one row of two million.
        } while (Arrays.stream(answer).max().orElse(0) > START);
        int[] row = new int[starts + 2 * LENGTH];
        Arrays.fill(row, 0, starts, START);
        System.arraycopy(digits, 0, row, starts, LENGTH);
        System.arraycopy(answer, 0, row, starts + LENGTH, LENGTH);
        return row;
    }

    /** The share of a thousand new sequences whose whole answer is the likeliest, digit by digit. */
    static double accuracy(Backbone base, @Nullable ResidentAdapter adapter, Task task, int starts) {
        CounterRandom random = CounterRandom.of(CounterRandom.key(1, "test " + task));
        int length = starts + 2 * LENGTH;
        int read = length - 1;
        int[][] rows = new int[TESTED][];
        long[] ids = new long[TESTED * read];
        for (int r = 0; r < TESTED; r++) {
            rows[r] = row(task, starts, random);
            for (int t = 0; t < read; t++) {
                ids[r * read + t] = rows[r][t];
            }
        }
        long[] mask = new long[ids.length];
        Arrays.fill(mask, 1);
        float[] logits =
                PaddedLogits.of(base, adapter, null, read, ids, mask, null).values();
        int vocabulary = base.spec().vocabulary();
        int right = 0;
        for (int r = 0; r < TESTED; r++) {
            boolean all = true;
            for (int t = length - LENGTH; t < length; t++) {
                all &= likeliest(logits, (r * read + t - 1) * vocabulary, vocabulary) == rows[r][t];
            }
            right += all ? 1 : 0;
        }
        return right / (double) TESTED;
    }

    private static int likeliest(float[] logits, int from, int count) {
        int best = 0;
        for (int i = 1; i < count; i++) {
            best = logits[from + i] > logits[from + best] ? i : best;
        }
        return best;
    }
}
