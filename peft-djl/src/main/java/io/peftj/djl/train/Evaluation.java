package io.peftj.djl.train;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * How well an adapter does on examples it did not learn from.
 *
 * @param loss the mean negative log-likelihood of what should be given, in nats a token, row or pair; labels neither smoothed nor weighted
 * @param learnt how many tokens, rows or pairs that is the mean of
 * @param scores what else the task measures, what it is usually judged by first
 */
public record Evaluation(double loss, long learnt, Map<Metric, Double> scores) {
    /** Keeps a copy in order. */
    public Evaluation {
        scores = Collections.unmodifiableMap(new LinkedHashMap<>(scores));
    }

    /**
     * The value of a metric.
     *
     * @throws IllegalArgumentException if the task does not measure it, naming what it does
     */
    public double get(Metric metric) {
        if (metric.equals(Metric.LOSS)) {
            return loss;
        }
        Double value = scores.get(metric);
        if (value == null) {
            throw new IllegalArgumentException(
                    "there is no " + metric + " for this task; there are loss and " + scores.keySet());
        }
        return value;
    }

    /** The share of rows whose likeliest class is theirs, 0 to 1; empty where there are no classes. */
    public OptionalDouble accuracy() {
        Double accuracy = scores.get(Metric.ACCURACY);
        return accuracy == null ? OptionalDouble.empty() : OptionalDouble.of(accuracy);
    }

    /** e to the loss: among how many equally likely tokens the model hesitates on average. */
    public double perplexity() {
        return Math.exp(loss);
    }

    /** Whether this is better than another by a metric, or by the lower loss where both have the same of it. */
    public boolean betterThan(Evaluation other, Metric metric) {
        int order = Double.compare(get(metric), other.get(metric));
        return order == 0 ? loss < other.loss : order > 0 == metric.higherIsBetter();
    }
}
