package io.peftj.djl.serve;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What class a text belongs to.
 *
 * @param label the likeliest class
 * @param probability how likely it is, 0 to 1
 * @param probabilities of all classes by label, in the order of the logits
 */
public record Classification(String label, double probability, Map<String, Double> probabilities) {
    /** Keeps a copy in order. */
    public Classification {
        probabilities = Collections.unmodifiableMap(new LinkedHashMap<>(probabilities));
    }

    static Classification of(List<String> labels, double[] logProbabilities) {
        Map<String, Double> probabilities = new LinkedHashMap<>();
        int best = 0;
        for (int i = 0; i < logProbabilities.length; i++) {
            probabilities.put(labels.get(i), Math.exp(logProbabilities[i]));
            best = logProbabilities[i] > logProbabilities[best] ? i : best;
        }
        return new Classification(labels.get(best), Math.exp(logProbabilities[best]), probabilities);
    }
}
