package io.peftj.methods.ia3;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterMethod;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.ConfigJson;
import io.peftj.core.adapter.WeightedAdapters;
import io.peftj.core.io.ConfigReader;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** (IA)3 (arXiv 2205.05638), in files as PEFT has it. */
public final class Ia3Method implements AdapterMethod<Ia3Config> {
    private static final String FEED_FORWARD = "feedforward_modules";

    /** Found by the service loader. */
    public Ia3Method() {}

    @Override
    public String type() {
        return "IA3";
    }

    @Override
    public Class<Ia3Config> configClass() {
        return Ia3Config.class;
    }

    @Override
    public Set<String> keys() {
        return Set.of(
                "target_modules",
                FEED_FORWARD,
                "exclude_modules",
                "init_ia3_weights",
                "fan_in_fan_out",
                "modules_to_save",
                "task_type");
    }

    @Override
    public Ia3Config read(JsonObject json) {
        ConfigReader reader = ConfigJson.reader(json);
        return Ia3Config.builder()
                .targets(ConfigJson.targets(reader, "target_modules"))
                .feedForward(feedForward(reader))
                .exclude(
                        ConfigJson.isSet(json, "exclude_modules")
                                ? ConfigJson.targets(reader, "exclude_modules")
                                : null)
                .startsAtOne(reader.optionalBoolean("init_ia3_weights", true))
                .fanInFanOut(reader.optionalBoolean("fan_in_fan_out", false))
                .modulesToSave(ConfigJson.modulesToSave(reader))
                .taskType(ConfigJson.taskType(reader))
                .build();
    }

    private static @Nullable FeedForward feedForward(ConfigReader reader) {
        if (!reader.has(FEED_FORWARD)) {
            return null;
        }
        return reader.json().get(FEED_FORWARD) instanceof JsonPrimitive
                ? FeedForward.matching(reader.requiredString(FEED_FORWARD))
                : new FeedForward(reader.strings(FEED_FORWARD), null);
    }

    @Override
    public JsonObject write(Ia3Config config) {
        JsonObject json = new JsonObject();
        json.add("target_modules", ConfigJson.json(config.targets()));
        json.add(FEED_FORWARD, json(config.feedForward()));
        json.add("exclude_modules", ConfigJson.json(config.exclude()));
        json.addProperty("init_ia3_weights", config.startsAtOne());
        json.addProperty("fan_in_fan_out", config.fanInFanOut());
        ConfigJson.addCommon(json, config);
        return json;
    }

    /** Unlike elsewhere an empty list says something: that no input is scaled. */
    private static JsonElement json(@Nullable FeedForward feedForward) {
        if (feedForward == null) {
            return JsonNull.INSTANCE;
        }
        if (feedForward.regex() != null) {
            return new JsonPrimitive(feedForward.regex());
        }
        JsonArray names = new JsonArray();
        feedForward.names().forEach(names::add);
        return names;
    }

    @Override
    public Ia3Config complete(BackboneSpec spec, Ia3Config config) {
        return Ia3Defaults.complete(spec, config);
    }

    @Override
    public AdapterPlan plan(BackboneSpec spec, Ia3Config config) {
        return new Ia3Plan(spec, complete(spec, config));
    }

    @Override
    public Adapter sum(WeightedAdapters adapters) {
        return new Ia3Sum(adapters).adapter();
    }
}
