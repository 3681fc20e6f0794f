package io.peftj.examples.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.PrintWriter;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.OptionalLong;

/** One line of JSON for machines, its keys in the order they are put. */
final class JsonLine {
    private final JsonObject object = new JsonObject();

    /** Adds a text. */
    JsonLine put(String key, String value) {
        object.addProperty(key, value);
        return this;
    }

    /** Adds a whole number. */
    JsonLine put(String key, long value) {
        object.addProperty(key, value);
        return this;
    }

    /** Adds a whole number; null where it is not known. */
    JsonLine put(String key, OptionalLong value) {
        object.addProperty(key, value.isPresent() ? value.getAsLong() : null);
        return this;
    }

    /** Adds true or false. */
    JsonLine put(String key, boolean value) {
        object.addProperty(key, value);
        return this;
    }

    /** Adds a number as it is; null where it is not finite, for which JSON has no word. */
    JsonLine put(String key, double value) {
        object.addProperty(key, Double.isFinite(value) ? value : null);
        return this;
    }

    /** Adds a number with at most so many decimals. */
    JsonLine putRounded(String key, double value, int decimals) {
        return Double.isFinite(value)
                ? put(
                        key,
                        BigDecimal.valueOf(value)
                                .setScale(decimals, RoundingMode.HALF_EVEN)
                                .doubleValue())
                : put(key, value);
    }

    /** Adds a list of numbers. */
    JsonLine put(String key, List<Double> values) {
        JsonArray array = new JsonArray();
        values.forEach(array::add);
        object.add(key, array);
        return this;
    }

    /** Adds an array or another object. */
    JsonLine put(String key, JsonElement value) {
        object.add(key, value);
        return this;
    }

    /** Writes the line. */
    void print(PrintWriter out) {
        out.println(this);
        out.flush();
    }

    @Override
    public String toString() {
        return object.toString();
    }
}
