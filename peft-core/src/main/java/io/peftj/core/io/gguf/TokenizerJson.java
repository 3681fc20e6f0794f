package io.peftj.core.io.gguf;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;

/** Parts of a tokenizer.json. */
final class TokenizerJson {
    private TokenizerJson() {}

    /** An object with a type and other keys, each followed by its value: JSON, a text, a number or a truth value. */
    static JsonObject typed(String type, Object... keysAndValues) {
        JsonObject json = new JsonObject();
        json.addProperty("type", type);
        for (int i = 0; i < keysAndValues.length; i += 2) {
            json.add((String) keysAndValues[i], json(keysAndValues[i + 1]));
        }
        return json;
    }

    private static JsonElement json(Object value) {
        if (value instanceof JsonElement json) {
            return json;
        }
        if (value instanceof Boolean truth) {
            return new JsonPrimitive(truth);
        }
        return value instanceof Number number ? new JsonPrimitive(number) : new JsonPrimitive((String) value);
    }

    /** GPT-2's mapping of bytes to characters, as a step before the model or after it. */
    static JsonObject byteLevel(boolean addsSpace, boolean cuts) {
        return typed("ByteLevel", "add_prefix_space", addsSpace, "trim_offsets", true, "use_regex", cuts);
    }

    /** A list of texts or objects. */
    static JsonArray array(Object... values) {
        JsonArray array = new JsonArray();
        for (Object value : values) {
            array.add(json(value));
        }
        return array;
    }

    /** An object of one key. */
    static JsonObject object(String key, Object value) {
        JsonObject json = new JsonObject();
        json.add(key, json(value));
        return json;
    }
}
