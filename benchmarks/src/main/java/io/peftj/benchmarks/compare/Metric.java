package io.peftj.benchmarks.compare;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.function.Function;

/**
 * What is read off a run.
 *
 * @param name as files call it
 * @param title with the unit
 * @param moreIsBetter whether the larger value is the better one
 * @param decimals digits behind the point, where it is printed
 * @param drawn whether the picture shows it
 * @param reading its value in a run's line, if it is there
 */
record Metric(
        String name,
        String title,
        boolean moreIsBetter,
        int decimals,
        boolean drawn,
        Function<JsonObject, OptionalDouble> reading) {

    /** The value of one key, the more, the better. */
    static Metric more(String key, String title, int decimals) {
        return new Metric(key, title, true, decimals, true, line -> number(line, key));
    }

    /** The value of one key, the less, the better. */
    static Metric less(String key, String title, int decimals) {
        return new Metric(key, title, false, decimals, true, line -> number(line, key));
    }

    /** What the process had at most beyond the loaded weights. */
    static Metric memoryOverWeights() {
        return new Metric("memory_over_weights_mib", "memory over loaded weights, MiB", false, 0, true, line -> {
            OptionalDouble peak = number(line, "peak_rss_mib");
            OptionalDouble loaded = number(line, "rss_loaded_mib");
            return peak.isPresent() && loaded.isPresent()
                    ? OptionalDouble.of(peak.getAsDouble() - loaded.getAsDouble())
                    : OptionalDouble.empty();
        });
    }

    /** The most that the process had. */
    static Metric peakMemory() {
        return less("peak_rss_mib", "peak memory of the process, MiB", 0);
    }

    /** The same in tables and files alone. */
    Metric notDrawn() {
        return new Metric(name, title, moreIsBetter, decimals, false, reading);
    }

    /** Its value in a run's line; empty where the line lacks it. */
    OptionalDouble of(JsonObject line) {
        return reading.apply(line);
    }

    /** A value as it is printed. */
    String format(double value) {
        return String.format(Locale.ROOT, "%." + decimals + "f", value);
    }

    /** The number under a key; empty where it is null, another type or not there. */
    static OptionalDouble number(JsonObject line, String key) {
        JsonElement value = line.get(key);
        return value != null
                        && value.isJsonPrimitive()
                        && value.getAsJsonPrimitive().isNumber()
                ? OptionalDouble.of(value.getAsDouble())
                : OptionalDouble.empty();
    }
}
