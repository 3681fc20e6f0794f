package io.peftj.core.io;

import com.google.gson.JsonObject;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.SortedMap;
import java.util.TreeMap;

/** A fingerprint's JSON: counts as numbers, samples as base64 of little-endian singles. */
final class FingerprintJson {
    private static final int VERSION = 1;

    private FingerprintJson() {}

    static String write(
            String architecture,
            SortedMap<String, Integer> sizes,
            SortedMap<String, Integer> tensors,
            SortedMap<String, float[]> values) {
        JsonObject json = new JsonObject();
        json.addProperty("version", VERSION);
        json.addProperty("architecture", architecture);
        json.add("sizes", object(sizes));
        json.add("tensors", object(tensors));
        JsonObject samples = new JsonObject();
        values.forEach((name, floats) -> samples.addProperty(name, base64(floats)));
        json.add("values", samples);
        return Json.writeCompact(json);
    }

    static Fingerprint read(String text, String source) {
        ConfigReader json = ConfigReader.of(Json.parse(text, source), source);
        if (json.requiredInt("version") != VERSION) {
            throw json.error("version", "fingerprint version " + VERSION, "use a newer version of this library");
        }
        ConfigReader samples = json.requiredObject("values");
        SortedMap<String, float[]> values = new TreeMap<>();
        for (String name : samples.keys()) {
            values.put(name, floats(samples, name));
        }
        return new Fingerprint(
                json.requiredString("architecture"),
                ints(json.requiredObject("sizes")),
                ints(json.requiredObject("tensors")),
                values);
    }

    private static JsonObject object(SortedMap<String, Integer> counts) {
        JsonObject json = new JsonObject();
        counts.forEach(json::addProperty);
        return json;
    }

    private static SortedMap<String, Integer> ints(ConfigReader json) {
        SortedMap<String, Integer> counts = new TreeMap<>();
        for (String key : json.keys()) {
            counts.put(key, json.requiredInt(key));
        }
        return counts;
    }

    private static String base64(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return Base64.getEncoder().encodeToString(bytes.array());
    }

    private static float[] floats(ConfigReader json, String key) {
        byte[] bytes;
        try {
            bytes = Base64.getDecoder().decode(json.requiredString(key));
        } catch (IllegalArgumentException e) {
            throw json.error(key, "base64", "the file is damaged, copy it again");
        }
        float[] values = new float[bytes.length / Float.BYTES];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
        return values;
    }
}
