package io.peftj.core.adapter;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.site.Targets;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the methods' keys of adapter_config.json have in common, in both directions. */
public final class ConfigJson {
    private ConfigJson() {}

    /** Typed access to the values; an empty list or text where PEFT means nothing is for the caller to tell. */
    public static ConfigReader reader(JsonObject json) {
        return ConfigReader.of(json, AdapterFiles.CONFIG);
    }

    /** Whether a key asks for anything: present, and neither null, false, nor empty. */
    public static boolean isSet(JsonObject json, String key) {
        JsonElement value = json.get(key);
        return value != null && isSet(value);
    }

    static boolean isSet(JsonElement value) {
        if (value instanceof JsonPrimitive primitive) {
            boolean off = primitive.isBoolean()
                    ? !primitive.getAsBoolean()
                    : primitive.getAsString().isEmpty();
            return !off;
        }
        return value instanceof JsonArray array ? !array.isEmpty() : value instanceof JsonObject o && !o.isEmpty();
    }

    /**
     * Refuses variants that are not implemented.
     *
     * @param method the method's name, for the message
     * @throws InvalidConfigException if one of the keys is set; the message names it
     */
    public static void refuse(JsonObject json, String method, Collection<String> keys) {
        for (String key : keys) {
            if (isSet(json, key)) {
                throw new InvalidConfigException(AdapterFiles.CONFIG + ": \"" + key + "\" is " + json.get(key)
                        + ", a variant of " + method + " that is not implemented; expected it absent, null or false;"
                        + " use an adapter without it, or merge the adapter into its base with PEFT");
            }
        }
    }

    /** The task type; null where there is none. */
    public static @Nullable TaskType taskType(ConfigReader reader) {
        if (!reader.has("task_type")) {
            return null;
        }
        String name = reader.requiredString("task_type");
        return Arrays.stream(TaskType.values())
                .filter(type -> type.name().equals(name))
                .findFirst()
                .orElseThrow(() -> reader.error(
                        "task_type", "one of " + Arrays.toString(TaskType.values()), "correct it, or set it to null"));
    }

    /** The modules to save, each once: PEFT doubles entries. */
    public static List<String> modulesToSave(ConfigReader reader) {
        return reader.strings("modules_to_save").stream().distinct().toList();
    }

    /** Names or a string as PEFT's target_modules; null where the key is absent. */
    public static @Nullable Targets targets(ConfigReader reader, String key) {
        JsonElement value = reader.json().get(key);
        if (value == null || value.isJsonNull()) {
            return null;
        }
        if (value instanceof JsonArray) {
            return Targets.names(reader.strings(key));
        }
        if (value instanceof JsonPrimitive primitive && primitive.isString()) {
            return Targets.string(key, primitive.getAsString());
        }
        throw reader.error(key, "a list of names or a string", "give names, \"all-linear\", or a regular expression");
    }

    /** A list or string as PEFT writes targets; null for none. */
    public static JsonElement json(@Nullable Targets targets) {
        if (targets == null) {
            return JsonNull.INSTANCE;
        }
        if (targets instanceof Targets.Names names) {
            return json(names.names());
        }
        return new JsonPrimitive(
                targets instanceof Targets.Regex regex ? regex.pattern().pattern() : "all-linear");
    }

    /** A list of texts; null for an empty one. */
    public static JsonElement json(List<String> texts) {
        if (texts.isEmpty()) {
            return JsonNull.INSTANCE;
        }
        JsonArray array = new JsonArray();
        texts.forEach(array::add);
        return array;
    }

    /** A list of whole numbers; null for an empty one. */
    public static JsonElement numbers(List<Integer> numbers) {
        if (numbers.isEmpty()) {
            return JsonNull.INSTANCE;
        }
        JsonArray array = new JsonArray();
        numbers.forEach(array::add);
        return array;
    }

    /** A number as Python writes it: a whole one without a point. */
    public static JsonPrimitive whole(double number) {
        boolean isWhole = number == Math.rint(number) && Math.abs(number) < 1e15;
        return isWhole ? new JsonPrimitive((long) number) : new JsonPrimitive(number);
    }

    /** Adds what every configuration has: task_type and modules_to_save. */
    public static void addCommon(JsonObject json, AdapterConfig config) {
        TaskType task = config.taskType();
        json.addProperty("task_type", task == null ? null : task.name());
        json.add("modules_to_save", json(config.modulesToSave()));
    }
}
