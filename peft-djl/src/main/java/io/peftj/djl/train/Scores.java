package io.peftj.djl.train;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** What classes were found against what they are. */
final class Scores {
    private Scores() {}

    /**
     * The share of rows whose class was found.
     *
     * @param labels each row's class
     * @param found what was found instead of it
     */
    static double accuracy(List<Integer> labels, List<Integer> found) {
        return IntStream.range(0, labels.size())
                .map(row -> labels.get(row).equals(found.get(row)) ? 1 : 0)
                .average()
                .orElseThrow();
    }

    /** {@link Metric#MACRO_F1}: a class's F1 is 2 · right / (rows that have it + rows that were given it). */
    static double macroF1(List<Integer> labels, List<Integer> found) {
        Map<Integer, Integer> right = new HashMap<>();
        Map<Integer, Integer> all = new HashMap<>();
        for (int row = 0; row < labels.size(); row++) {
            all.merge(labels.get(row), 1, Integer::sum);
            all.merge(found.get(row), 1, Integer::sum);
            right.merge(labels.get(row), labels.get(row).equals(found.get(row)) ? 1 : 0, Integer::sum);
        }
        return all.entrySet().stream()
                .mapToDouble(entry -> 2.0 * right.getOrDefault(entry.getKey(), 0) / entry.getValue())
                .average()
                .orElseThrow();
    }
}
