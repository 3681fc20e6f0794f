package io.peftj.djl.generate;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.PeftException;
import io.peftj.core.tensor.CounterRandom;
import java.util.Arrays;

/**
 * How a row's next token is chosen of its logits: the settings, their meanings and their order are those of Hugging Face's transformers.
 *
 * <p>First the repetition penalty, over the prompt and what followed; then the temperature, the top k and the top p; then a draw of what is left. The draw
 * is a function of the seed and the number of tokens so far, so a row's text does not depend on the rows beside it. Two rows with one prompt and one seed
 * get one text: give each a seed of its own to get several.
 *
 * @param temperature what logits are divided by; 0 chooses the likeliest token
 * @param topK how many of the likeliest tokens are left, more where the last of them are equally likely; 0 for all
 * @param topP the likeliest tokens are left that have this probability together, at least one; 1 for all
 * @param repetitionPenalty what positive logits of tokens that occurred already are divided by, and negative ones multiplied with; 1 for none (arXiv
 *     1909.05858)
 * @param seed of the draws
 */
public record Sampling(double temperature, int topK, double topP, double repetitionPenalty, long seed)
        implements TokenChooser {
    /** The likeliest token each time; of several, the one with the lowest id. */
    public static final Sampling GREEDY = new Sampling(0, 0, 1, 1, 0);

    /**
     * Checks the settings.
     *
     * @throws InvalidConfigException if one is out of its range
     */
    public Sampling {
        check(temperature >= 0, "temperature", "a number from 0", temperature);
        check(topK >= 0, "top k", "a whole number from 0", topK);
        check(topP > 0 && topP <= 1, "top p", "a number above 0 and up to 1", topP);
        check(repetitionPenalty > 0, "repetition penalty", "a number above 0", repetitionPenalty);
    }

    private static void check(boolean holds, String setting, String expected, double found) {
        if (!holds || !Double.isFinite(found)) {
            throw new InvalidConfigException(setting + ": expected " + expected + ", found " + found);
        }
    }

    /** Draws from the whole distribution at a temperature. */
    public static Sampling at(double temperature) {
        return GREEDY.withTemperature(temperature);
    }

    /** The same with another temperature. */
    public Sampling withTemperature(double other) {
        return new Sampling(other, topK, topP, repetitionPenalty, seed);
    }

    /** The same with another number of likeliest tokens. */
    public Sampling withTopK(int other) {
        return new Sampling(temperature, other, topP, repetitionPenalty, seed);
    }

    /** The same with another probability of the likeliest tokens. */
    public Sampling withTopP(double other) {
        return new Sampling(temperature, topK, other, repetitionPenalty, seed);
    }

    /** The same with another penalty. */
    public Sampling withRepetitionPenalty(double other) {
        return new Sampling(temperature, topK, topP, other, seed);
    }

    /** The same with other draws. */
    public Sampling withSeed(long other) {
        return new Sampling(temperature, topK, topP, repetitionPenalty, other);
    }

    @Override
    public boolean isGreedy() {
        return temperature == 0 && repetitionPenalty == 1;
    }

    @Override
    public int choose(int[] ids, float[] logits) {
        penalise(ids, logits);
        if (temperature == 0) {
            return largest(logits);
        }
        double[] weights = weights(logits);
        double sum = Arrays.stream(weights).sum();
        double drawn = CounterRandom.of(CounterRandom.key(CounterRandom.key(seed, "sample"), ids.length))
                        .nextDouble()
                * sum;
        int last = 0;
        for (int id = 0; id < weights.length; id++) {
            if (weights[id] > 0) {
                last = id;
                drawn -= weights[id];
                if (drawn < 0) {
                    break;
                }
            }
        }
        return last;
    }

    /**
     * What the next token is drawn from.
     *
     * @param ids the prompt and what followed so far
     * @param logits one a token of the vocabulary
     * @return probabilities, 0 where a token is left out; at temperature 0 all of it is the likeliest token's
     */
    public double[] distribution(int[] ids, float[] logits) {
        float[] penalised = logits.clone();
        penalise(ids, penalised);
        double[] weights = new double[logits.length];
        if (temperature == 0) {
            weights[largest(penalised)] = 1;
            return weights;
        }
        weights = weights(penalised);
        double sum = Arrays.stream(weights).sum();
        return Arrays.stream(weights).map(weight -> weight / sum).toArray();
    }

    private void penalise(int[] ids, float[] logits) {
        if (repetitionPenalty == 1) {
            return;
        }
        boolean[] done = new boolean[logits.length];
        for (int id : ids) {
            if (!done[id]) {
                done[id] = true;
                logits[id] = (float) (logits[id] < 0 ? logits[id] * repetitionPenalty : logits[id] / repetitionPenalty);
            }
        }
    }

    /** Of the tokens that are left, e to the power of what the logit lacks of the largest one; 0 for the others. */
    private double[] weights(float[] logits) {
        float most = logits[largest(logits)];
        float least = topK == 0 || topK >= logits.length ? Float.NEGATIVE_INFINITY : kthLargest(logits);
        double[] weights = new double[logits.length];
        for (int id = 0; id < weights.length; id++) {
            weights[id] = logits[id] >= least ? Math.exp((logits[id] - most) / temperature) : 0;
        }
        if (topP < 1) {
            keepTopP(weights);
        }
        return weights;
    }

    private float kthLargest(float[] logits) {
        float[] sorted = logits.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length - topK];
    }

    /** From the unlikeliest on, tokens are left out as long as they have at most 1 − p together. */
    private void keepTopP(double[] weights) {
        double out = (1 - topP) * Arrays.stream(weights).sum();
        // Tokens that could not exceed it if all were as likely as they need no sorting.
        double small = out / weights.length;
        double gone = 0;
        int[] order = new int[weights.length];
        int count = 0;
        for (int id = 0; id < weights.length; id++) {
            if (weights[id] > small) {
                order[count++] = id;
            } else {
                gone += weights[id];
                weights[id] = 0;
            }
        }
        int[] rising = Arrays.stream(order, 0, count)
                .boxed()
                .sorted((a, b) -> Double.compare(weights[a], weights[b]))
                .mapToInt(Integer::intValue)
                .toArray();
        for (int i = 0; i < count - 1; i++) {
            gone += weights[rising[i]];
            if (gone > out) {
                break;
            }
            weights[rising[i]] = 0;
        }
    }

    private static int largest(float[] logits) {
        int best = 0;
        for (int id = 1; id < logits.length; id++) {
            best = logits[id] > logits[best] ? id : best;
        }
        return finite(best, logits[best]);
    }

    /**
     * A token whose logit is the greatest.
     *
     * @throws PeftException if that is no number
     */
    static int finite(int token, double logit) {
        if (!Double.isFinite(logit)) {
            throw new PeftException("the model's greatest next-token logit is " + logit
                    + "; the model or one of the row's adapters holds numbers that are not finite");
        }
        return token;
    }
}
