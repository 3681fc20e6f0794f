package io.peftj.djl.train.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** How often rows of each class were given each class. */
final class Confusion {
    private final List<String> labels;
    private final int[][] counts;

    /**
     * Counts.
     *
     * @param classes each row's class
     * @param found what it was given
     */
    Confusion(List<String> labels, List<Integer> classes, List<Integer> found) {
        this.labels = List.copyOf(labels);
        this.counts = new int[labels.size()][labels.size()];
        for (int row = 0; row < classes.size(); row++) {
            counts[classes.get(row)][found.get(row)]++;
        }
    }

    /** One kind of mistake. */
    record Mistake(int label, int found, int count) {}

    /** How well one class was told from the others; NaN where there was nothing to divide by. */
    record Quality(int label, int rows, int given, int right) {
        double precision() {
            return right / (double) given;
        }

        double recall() {
            return right / (double) rows;
        }

        /** 2 · right / (rows that have it + rows that were given it). */
        double f1() {
            return 2.0 * right / (rows + given);
        }
    }

    List<String> labels() {
        return labels;
    }

    int count(int label, int found) {
        return counts[label][found];
    }

    /** The most that one field holds. */
    int greatest() {
        int greatest = 0;
        for (int[] row : counts) {
            for (int count : row) {
                greatest = Math.max(greatest, count);
            }
        }
        return greatest;
    }

    /** Each class, in the labels' order. */
    List<Quality> qualities() {
        List<Quality> qualities = new ArrayList<>();
        for (int label = 0; label < counts.length; label++) {
            int rows = 0;
            int given = 0;
            for (int other = 0; other < counts.length; other++) {
                rows += counts[label][other];
                given += counts[other][label];
            }
            qualities.add(new Quality(label, rows, given, counts[label][label]));
        }
        return qualities;
    }

    /** What was mistaken for what, the most frequent first. */
    List<Mistake> mistakes() {
        List<Mistake> mistakes = new ArrayList<>();
        for (int label = 0; label < counts.length; label++) {
            for (int found = 0; found < counts.length; found++) {
                if (label != found && counts[label][found] > 0) {
                    mistakes.add(new Mistake(label, found, counts[label][found]));
                }
            }
        }
        mistakes.sort(Comparator.comparingInt(Mistake::count).reversed());
        return mistakes;
    }
}
