package io.peftj.djl.backbone;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/** Rows in parts of about as many tokens, which are computed side by side. */
public final class Parts {
    private Parts() {}

    /**
     * Splits rows, always in the same way.
     *
     * @param tokens of a row
     * @param count how many parts; with fewer rows they stay together, since then all threads work best on one operation at a time
     * @return the rows' places in each part, ascending
     */
    public static <R> List<List<Integer>> of(List<R> rows, ToIntFunction<R> tokens, int count) {
        List<Integer> places = IntStream.range(0, rows.size()).boxed().toList();
        if (count == 1 || rows.size() < count) {
            return List.of(places);
        }
        List<List<Integer>> parts = new ArrayList<>();
        for (int p = 0; p < count; p++) {
            parts.add(new ArrayList<>());
        }
        long[] held = new long[count];
        // The longest first, each to the part with the fewest tokens so far.
        places.stream()
                .sorted(Comparator.comparingInt(row -> -tokens.applyAsInt(rows.get(row))))
                .forEach(row -> {
                    int least = 0;
                    for (int p = 1; p < count; p++) {
                        least = held[p] < held[least] ? p : least;
                    }
                    parts.get(least).add(row);
                    held[least] += tokens.applyAsInt(rows.get(row));
                });
        parts.forEach(Collections::sort);
        return List.copyOf(parts);
    }
}
