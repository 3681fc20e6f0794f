package io.peftj.core.adapter;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.peftj.core.InvalidFileException;
import io.peftj.core.Library;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.io.Json;
import io.peftj.core.io.Safetensors;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the metadata of an adapter's tensors say: texts by key, ours in JSON.
 *
 * @param task none in files of PEFT's
 * @param fingerprint of the base; null in files of PEFT's
 * @param seed of the training; null in files of PEFT's
 */
record AdapterMetadata(
        TaskData task,
        @Nullable String fingerprint,
        @Nullable Long seed) {
    private static final String VERSION = "peftj_version";
    private static final String TASK = "peftj_task";
    private static final String FINGERPRINT = "peftj_fingerprint";
    private static final String SEED = "peftj_seed";

    static Map<String, String> write(Adapter adapter) {
        Map<String, String> metadata = new TreeMap<>();
        // PEFT's loader wants to know which framework the file is for.
        metadata.put("format", "pt");
        metadata.put(VERSION, Library.version());
        if (!adapter.task().equals(TaskData.NONE)) {
            metadata.put(TASK, Json.writeCompact(json(adapter.task())));
        }
        if (adapter.fingerprint() != null) {
            metadata.put(FINGERPRINT, adapter.fingerprint());
        }
        if (adapter.seed() != null) {
            metadata.put(SEED, adapter.seed().toString());
        }
        return metadata;
    }

    static AdapterMetadata read(Safetensors file) {
        String text = file.metadata().get(TASK);
        TaskData task = text == null ? TaskData.NONE : task(text, file.description() + ", metadata " + TASK);
        return new AdapterMetadata(task, file.metadata().get(FINGERPRINT), seed(file));
    }

    private static @Nullable Long seed(Safetensors file) {
        String text = file.metadata().get(SEED);
        if (text == null) {
            return null;
        }
        try {
            return Long.valueOf(text);
        } catch (NumberFormatException e) {
            throw new InvalidFileException(
                    file.description() + ", metadata " + SEED + ": expected a whole number of 64 bits, found " + text
                            + "; download or save the adapter again",
                    e);
        }
    }

    private static JsonObject json(TaskData task) {
        JsonObject json = new JsonObject();
        JsonArray labels = new JsonArray();
        task.labels().forEach(labels::add);
        json.add("labels", labels);
        json.addProperty("prompt_template", task.promptTemplate());
        json.addProperty("max_length", task.maxLength());
        Pooling pooling = task.pooling();
        json.addProperty("pooling", pooling == null ? null : pooling.name().toLowerCase(Locale.ROOT));
        json.addProperty("tokenizer", task.tokenizerFingerprint());
        return json;
    }

    private static TaskData task(String text, String source) {
        ConfigReader reader = ConfigReader.of(Json.parse(text, source), source);
        return new TaskData(
                reader.strings("labels"),
                reader.has("prompt_template") ? reader.requiredString("prompt_template") : null,
                reader.has("max_length") ? reader.requiredInt("max_length") : null,
                reader.has("pooling") ? pooling(reader) : null,
                reader.has("tokenizer") ? reader.requiredString("tokenizer") : null);
    }

    private static Pooling pooling(ConfigReader reader) {
        String name = reader.requiredString("pooling");
        return Arrays.stream(Pooling.values())
                .filter(pooling -> pooling.name().toLowerCase(Locale.ROOT).equals(name))
                .findFirst()
                .orElseThrow(
                        () -> reader.error("pooling", "first, last or mean", "use a newer version of the library"));
    }
}
