package io.peftj.djl.train.report;

/**
 * A quantity over consecutive steps.
 *
 * @param weight the sum of what each step counts in the mean; 0 for no steps
 * @param sum of values times weights
 */
record Stat(double min, double max, double weight, double sum) {
    static final Stat NONE = new Stat(Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 0, 0);

    static Stat of(double value, double weight) {
        return new Stat(value, value, weight, value * weight);
    }

    boolean isNone() {
        return weight == 0;
    }

    double mean() {
        return sum / weight;
    }

    Stat and(Stat other) {
        return new Stat(Math.min(min, other.min), Math.max(max, other.max), weight + other.weight, sum + other.sum);
    }
}
