package io.peftj.djl.train;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterMethod;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.io.Fingerprint;
import io.peftj.djl.backbone.Backbone;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What a training run is, by name, to be compared and shown.
 *
 * @param settings all that its steps depend on but the model: the method's configuration, the recipe, the task, hashes of the examples
 * @param environment what computes it; equal settings give equal bytes in equal environments
 * @param base the model
 */
public record RunDescription(Map<String, String> settings, Map<String, String> environment, Fingerprint base) {
    /** Keeps copies in their order. */
    public RunDescription {
        settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
        environment = Collections.unmodifiableMap(new LinkedHashMap<>(environment));
    }

    static RunDescription of(
            Backbone base,
            AdapterConfig config,
            @Nullable Adapter startsFrom,
            Recipe recipe,
            Task<?> task,
            TrainingRun.Data data) {
        Map<String, String> settings = new TreeMap<>();
        put(settings, "method", json(config));
        // Records turn into JSON by their components, so that a new one is compared without anything said here.
        put(settings, "recipe", new Gson().toJsonTree(recipe));
        put(settings, "task", new Gson().toJsonTree(task.data(base)));
        put(settings, "objective", new Gson().toJsonTree(task.objective(base)));
        put(settings, "train", data.train());
        put(settings, "validation", data.validation());
        if (startsFrom != null) {
            settings.put("starts_from", Digest.of(startsFrom.parameters()));
        }
        return new RunDescription(settings, Environment.of(base), base.fingerprint());
    }

    /** What computes with a model, by name. */
    public static Map<String, String> environment(Backbone base) {
        return Environment.of(base);
    }

    private static <C extends AdapterConfig> JsonObject json(C config) {
        AdapterMethod<C> method = AdapterMethods.of(config);
        JsonObject json = method.write(config);
        json.addProperty("type", method.type());
        return json;
    }

    private static void put(Map<String, String> settings, String name, List<Example> examples) {
        settings.put(name + ".examples", Integer.toString(examples.size()));
        settings.put(name + ".tokens_and_labels", Digest.of(examples));
    }

    private static void put(Map<String, String> settings, String name, JsonElement value) {
        if (value instanceof JsonObject object) {
            object.entrySet().forEach(entry -> put(settings, name + "." + entry.getKey(), entry.getValue()));
        } else if (!value.isJsonNull()) {
            settings.put(name, value.isJsonPrimitive() ? value.getAsString() : value.toString());
        }
    }

    /** Each setting that a recorded run has otherwise than this one, with both values. */
    List<String> settingsOtherwiseIn(RunDescription recorded) {
        return differences(recorded.settings, settings);
    }

    /** Each part of the environment that a recorded run had otherwise than this one. */
    List<String> environmentOtherwiseIn(RunDescription recorded) {
        return differences(recorded.environment, environment);
    }

    private static List<String> differences(Map<String, String> recorded, Map<String, String> now) {
        List<String> differences = new ArrayList<>();
        Set<String> names = new TreeSet<>(recorded.keySet());
        names.addAll(now.keySet());
        for (String name : names) {
            String there = recorded.getOrDefault(name, "absent");
            String here = now.getOrDefault(name, "absent");
            if (!there.equals(here)) {
                differences.add(name + " is " + there + " there and " + here + " here");
            }
        }
        return differences;
    }
}
