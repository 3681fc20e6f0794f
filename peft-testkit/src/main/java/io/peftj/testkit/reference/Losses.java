package io.peftj.testkit.reference;

import io.peftj.core.tensor.Index;
import org.jspecify.annotations.Nullable;

/** Cross entropy of rows of logits with targets t = (1 − smoothing) · u[label] · onehot(label) + smoothing / classes · u. */
final class Losses {
    private Losses() {}

    /** Σ weights(i) · perRow(i), and each row's negative log-likelihood [rows]. */
    record Loss(Array sum, Array perRow) {}

    static Loss crossEntropy(
            Array logits, Index labels, Array weights, double smoothing, @Nullable Array classWeights) {
        int classes = logits.dim(1);
        Array perRow = Array.zeros(logits.dim(0));
        double sum = 0;
        for (int row = 0; row < perRow.size(); row++) {
            int label = (int) labels.get(row);
            double logSum = Structure.logSumExp(logits.values(), row * classes, classes);
            double loss = 0;
            for (int c = 0; c < classes; c++) {
                double target = target(c, label, classes, smoothing, classWeights);
                // 0 times infinity is not 0.
                loss += target == 0 ? 0 : target * (logSum - logits.values()[row * classes + c]);
            }
            perRow.values()[row] = logSum - logits.values()[row * classes + label];
            sum += weights.values()[row] * loss;
        }
        return new Loss(Array.scalar(sum), perRow);
    }

    /** g · weights ⊙ (softmax(logits) · Σ t − t). */
    static Array crossEntropyBackward(
            double g, Array logits, Index labels, Array weights, double smoothing, @Nullable Array classWeights) {
        int classes = logits.dim(1);
        Array gradient = Structure.softmax(logits);
        for (int row = 0; row < logits.dim(0); row++) {
            int label = (int) labels.get(row);
            double all = 0;
            for (int c = 0; c < classes; c++) {
                all += target(c, label, classes, smoothing, classWeights);
            }
            for (int c = 0; c < classes; c++) {
                double probability = gradient.values()[row * classes + c];
                gradient.values()[row * classes + c] = g
                        * weights.values()[row]
                        * (probability * all - target(c, label, classes, smoothing, classWeights));
            }
        }
        return gradient;
    }

    private static double target(int c, int label, int classes, double smoothing, @Nullable Array classWeights) {
        double share = (c == label ? 1 - smoothing : 0) + smoothing / classes;
        return classWeights == null ? share : share * classWeights.values()[c];
    }
}
