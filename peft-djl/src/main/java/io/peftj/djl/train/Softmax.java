package io.peftj.djl.train;

/** Logits read into Java. */
public final class Softmax {
    private Softmax() {}

    /** The logarithms of the probabilities that logits stand for. */
    public static double[] log(float... logits) {
        double greatest = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            greatest = Math.max(greatest, logit);
        }
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - greatest);
        }
        double[] logProbabilities = new double[logits.length];
        for (int i = 0; i < logits.length; i++) {
            logProbabilities[i] = logits[i] - greatest - Math.log(sum);
        }
        return logProbabilities;
    }

    /** The place of the greatest value, the first of equal ones. */
    public static int greatest(double... values) {
        int greatest = 0;
        for (int i = 1; i < values.length; i++) {
            if (values[i] > values[greatest]) {
                greatest = i;
            }
        }
        return greatest;
    }
}
