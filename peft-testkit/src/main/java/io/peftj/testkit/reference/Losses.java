package io.peftj.testkit.reference;

import io.peftj.core.tensor.Index;

/** Cross entropy of rows of logits. */
final class Losses {
    private Losses() {}

    /** Σ weights(i) · perRow(i), and each row's negative log-likelihood [rows]. */
    record Loss(Array sum, Array perRow) {}

    static Loss crossEntropy(Array logits, Index labels, Array weights) {
        int classes = logits.dim(1);
        Array perRow = Array.zeros(logits.dim(0));
        double sum = 0;
        for (int row = 0; row < perRow.size(); row++) {
            double logSum = Structure.logSumExp(logits.values(), row * classes, classes);
            perRow.values()[row] = logSum - logits.values()[row * classes + (int) labels.get(row)];
            sum += weights.values()[row] * perRow.values()[row];
        }
        return new Loss(Array.scalar(sum), perRow);
    }

    /** g · weights ⊙ (softmax(logits) − onehot(labels)). */
    static Array crossEntropyBackward(double g, Array logits, Index labels, Array weights) {
        int classes = logits.dim(1);
        Array gradient = Structure.softmax(logits);
        for (int row = 0; row < logits.dim(0); row++) {
            gradient.values()[row * classes + (int) labels.get(row)] -= 1;
            for (int i = row * classes; i < (row + 1) * classes; i++) {
                gradient.values()[i] *= g * weights.values()[row];
            }
        }
        return gradient;
    }
}
