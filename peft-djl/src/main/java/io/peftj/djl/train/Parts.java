package io.peftj.djl.train;

import io.peftj.djl.train.Example.Assigned;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** A micro-batch's rows in parts of about as many tokens, which are computed side by side. */
final class Parts {
    private Parts() {}

    /**
     * Splits rows, always in the same way.
     *
     * @param count how many parts; with fewer rows they stay together, since then all threads work best on one operation at a time
     */
    static List<List<Assigned>> of(List<Assigned> rows, int count) {
        if (count == 1 || rows.size() < count) {
            return List.of(rows);
        }
        // The longest first, each to the part with the fewest tokens so far.
        List<Integer> byLength = IntStream.range(0, rows.size())
                .boxed()
                .sorted(Comparator.comparingInt(row -> -rows.get(row).example().length()))
                .toList();
        List<List<Integer>> parts = new ArrayList<>();
        for (int p = 0; p < count; p++) {
            parts.add(new ArrayList<>());
        }
        long[] tokens = new long[count];
        for (int row : byLength) {
            int least = 0;
            for (int p = 1; p < count; p++) {
                least = tokens[p] < tokens[least] ? p : least;
            }
            parts.get(least).add(row);
            tokens[least] += rows.get(row).example().length();
        }
        return parts.stream()
                .peek(Collections::sort)
                .map(part -> part.stream().map(rows::get).toList())
                .toList();
    }
}
