package io.peftj.core.io;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.peftj.core.InvalidFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Typed values of a JSON object such as {@code config.json}; a key whose value is null counts as absent.
 *
 * <p>Every getter throws an {@link InvalidFileException} that names the file, the key, what was expected and what was
 * found: the required ones for an absent key, all of them for a value of another type.
 */
public final class ConfigReader {
    private final JsonObject object;
    private final String source;
    private final String path;

    private ConfigReader(JsonObject object, String source, String path) {
        this.object = object;
        this.source = source;
        this.path = path;
    }

    /**
     * Reads an object.
     *
     * @param source where it comes from, for messages
     */
    public static ConfigReader of(JsonObject object, String source) {
        return new ConfigReader(object, source, "");
    }

    /** Reads a file that holds one object; errors as for {@link Json#read}. */
    public static ConfigReader read(Path file) {
        return of(Json.read(file), InputFiles.shortName(file));
    }

    /** The object itself. */
    public JsonObject json() {
        return object;
    }

    /** All keys, those with a null value included, in the file's order. */
    public Set<String> keys() {
        return object.keySet();
    }

    /** Whether the key has a value other than null. */
    public boolean has(String key) {
        return value(key) != null;
    }

    /** An integer. */
    public int requiredInt(String key) {
        return integer(key, required(key, "an integer"));
    }

    /** An integer, or the default where the key is absent. */
    public int optionalInt(String key, int defaultValue) {
        JsonElement value = value(key);
        return value == null ? defaultValue : integer(key, value);
    }

    /** A finite number. */
    public double requiredDouble(String key) {
        return number(key, required(key, "a number"));
    }

    /** A finite number, or the default where the key is absent. */
    public double optionalDouble(String key, double defaultValue) {
        JsonElement value = value(key);
        return value == null ? defaultValue : number(key, value);
    }

    /** A string. */
    public String requiredString(String key) {
        return string(key, required(key, "a string"));
    }

    /** A string, or the default where the key is absent. */
    public String optionalString(String key, String defaultValue) {
        JsonElement value = value(key);
        return value == null ? defaultValue : string(key, value);
    }

    /** True or false, or the default where the key is absent. */
    public boolean optionalBoolean(String key, boolean defaultValue) {
        JsonElement value = value(key);
        if (value == null) {
            return defaultValue;
        }
        return primitive(key, value, "true or false", JsonPrimitive::isBoolean).getAsBoolean();
    }

    /** A nested object, whose own messages give the whole path to a key. */
    public ConfigReader requiredObject(String key) {
        return object(key, required(key, "an object"));
    }

    /** A nested object, empty where the key is absent. */
    public Optional<ConfigReader> optionalObject(String key) {
        JsonElement value = value(key);
        return value == null ? Optional.empty() : Optional.of(object(key, value));
    }

    /** A list of strings, empty where the key is absent. */
    public List<String> strings(String key) {
        return list(key, "a list of strings", item -> string(key, item));
    }

    /** A list of integers, empty where the key is absent. */
    public List<Integer> ints(String key) {
        return list(key, "a list of integers", item -> integer(key, item));
    }

    /** A list of finite numbers, empty where the key is absent. */
    public List<Double> doubles(String key) {
        return list(key, "a list of finite numbers", item -> number(key, item));
    }

    /**
     * The error of a value that has the right type and is wrong all the same.
     *
     * @param remedy what the user can do about it
     */
    public InvalidFileException error(String key, String expected, String remedy) {
        return wrong(key, expected, object.get(key), remedy);
    }

    private @Nullable JsonElement value(String key) {
        JsonElement value = object.get(key);
        return value == null || value.isJsonNull() ? null : value;
    }

    private JsonElement required(String key, String expected) {
        JsonElement value = value(key);
        if (value == null) {
            throw wrong(key, expected, object.get(key), "add the key, or check that this is the right file");
        }
        return value;
    }

    private int integer(String key, JsonElement value) {
        String expected = "an integer from " + Integer.MIN_VALUE + " to " + Integer.MAX_VALUE;
        String text = primitive(key, value, expected, JsonPrimitive::isNumber).getAsString();
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw wrongType(key, expected, value);
        }
    }

    private double number(String key, JsonElement value) {
        double number = primitive(key, value, "a finite number", JsonPrimitive::isNumber)
                .getAsDouble();
        if (!Double.isFinite(number)) {
            throw wrongType(key, "a finite number", value);
        }
        return number;
    }

    private String string(String key, JsonElement value) {
        return primitive(key, value, "a string", JsonPrimitive::isString).getAsString();
    }

    private ConfigReader object(String key, JsonElement value) {
        if (!(value instanceof JsonObject nested)) {
            throw wrongType(key, "an object", value);
        }
        return new ConfigReader(nested, source, path + key + ".");
    }

    private <T> List<T> list(String key, String expected, Function<JsonElement, T> item) {
        JsonElement value = value(key);
        if (value == null) {
            return List.of();
        }
        if (!(value instanceof JsonArray array)) {
            throw wrongType(key, expected, value);
        }
        List<T> items = new ArrayList<>();
        array.forEach(element -> items.add(item.apply(element)));
        return List.copyOf(items);
    }

    private JsonPrimitive primitive(
            String key, JsonElement value, String expected, Function<JsonPrimitive, Boolean> isExpected) {
        if (value instanceof JsonPrimitive primitive && isExpected.apply(primitive)) {
            return primitive;
        }
        throw wrongType(key, expected, value);
    }

    private InvalidFileException wrongType(String key, String expected, JsonElement found) {
        return wrong(key, expected, found, "correct the value, or check that this is the right file");
    }

    private InvalidFileException wrong(String key, String expected, @Nullable JsonElement found, String remedy) {
        String value = found == null ? "no such key" : NearNames.shorten(found.toString());
        return new InvalidFileException(source + ": expected " + expected + " under \"" + NearNames.shorten(path + key)
                + "\", found " + value + "; " + remedy);
    }
}
