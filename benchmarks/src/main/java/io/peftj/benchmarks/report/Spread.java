package io.peftj.benchmarks.report;

import com.google.gson.JsonObject;
import java.util.Arrays;

/**
 * A few measurements of the same.
 *
 * @param median the middle one, or the mean of the two in the middle
 * @param min the least
 * @param max the greatest
 * @param count how many there are
 */
public record Spread(double median, double min, double max, int count) {
    /** Of at least one value. */
    public static Spread of(double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int count = sorted.length;
        return new Spread((sorted[(count - 1) / 2] + sorted[count / 2]) / 2, sorted[0], sorted[count - 1], count);
    }

    /** As files have it. */
    public JsonObject json() {
        JsonObject json = new JsonObject();
        json.addProperty("median", median);
        json.addProperty("min", min);
        json.addProperty("max", max);
        json.addProperty("runs", count);
        return json;
    }
}
