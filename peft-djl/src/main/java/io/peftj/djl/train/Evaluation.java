package io.peftj.djl.train;

import java.util.OptionalDouble;

/**
 * How well an adapter does on examples it did not learn from.
 *
 * @param loss the mean negative log-likelihood of what should be given, in nats a token or a row
 * @param learnt how many tokens or rows that is the mean of
 * @param accuracy the share of rows whose likeliest class is theirs, 0 to 1; empty for text
 */
public record Evaluation(double loss, long learnt, OptionalDouble accuracy) {
    /** e to the loss: among how many equally likely tokens the model hesitates on average. */
    public double perplexity() {
        return Math.exp(loss);
    }

    /** Whether this is better than another: the higher accuracy where there is one, then the lower loss. */
    public boolean betterThan(Evaluation other) {
        int byAccuracy = Double.compare(accuracy.orElse(0), other.accuracy.orElse(0));
        return byAccuracy == 0 ? loss < other.loss : byAccuracy > 0;
    }
}
