package io.peftj.methods.prefix;

import com.google.gson.JsonObject;
import io.peftj.core.adapter.AdapterMethod;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.ConfigJson;
import io.peftj.core.adapter.PromptDimensions;
import io.peftj.core.io.ConfigReader;
import java.util.HashSet;
import java.util.Set;

/** Prefix tuning (arXiv 2101.00190), in files as PEFT has it. */
public final class PrefixMethod implements AdapterMethod<PrefixConfig> {
    private static final String HIDDEN = "encoder_hidden_size";
    private static final String INIT = "init_weights";

    /** Found by the service loader. */
    public PrefixMethod() {}

    @Override
    public String type() {
        return "PREFIX_TUNING";
    }

    @Override
    public Class<PrefixConfig> configClass() {
        return PrefixConfig.class;
    }

    @Override
    public Set<String> keys() {
        Set<String> keys = new HashSet<>(PromptDimensions.KEYS);
        keys.addAll(Set.of("num_virtual_tokens", "prefix_projection", HIDDEN, INIT, "modules_to_save", "task_type"));
        return keys;
    }

    @Override
    public PrefixConfig read(JsonObject json) {
        ConfigReader reader = ConfigJson.reader(json);
        return PrefixConfig.builder()
                .virtualTokens(reader.requiredInt("num_virtual_tokens"))
                .projection(reader.optionalBoolean("prefix_projection", false))
                .encoderHiddenSize(reader.has(HIDDEN) ? reader.requiredInt(HIDDEN) : null)
                .init(init(reader))
                .dimensions(PromptDimensions.read(reader))
                .modulesToSave(ConfigJson.modulesToSave(reader))
                .taskType(ConfigJson.taskType(reader))
                .build();
    }

    private static PrefixInit init(ConfigReader reader) {
        if (!reader.has(INIT)) {
            return PrefixInit.normal();
        }
        if (!reader.requiredString(INIT).equals("zero")) {
            throw reader.error(INIT, "\"zero\" or null", "correct it; a trained prefix does not depend on it");
        }
        return PrefixInit.zero();
    }

    @Override
    public JsonObject write(PrefixConfig config) {
        JsonObject json = new JsonObject();
        json.addProperty("num_virtual_tokens", config.virtualTokens());
        json.addProperty("prefix_projection", config.projection());
        json.addProperty(HIDDEN, config.encoderHiddenSize());
        json.addProperty(INIT, config.init() instanceof PrefixInit.Zero ? "zero" : null);
        PromptDimensions.write(json, config.dimensions());
        ConfigJson.addCommon(json, config);
        return json;
    }

    /** Says the model's sizes, and checks those the configuration says. */
    @Override
    public PrefixConfig complete(BackboneSpec spec, PrefixConfig config) {
        PromptDimensions sizes = new PromptDimensions(spec.layers(), spec.keyValueHeads(), spec.keyValueWidth())
                .agreeing("prefix", spec, config.dimensions());
        Integer hidden = config.encoderHiddenSize();
        return config.toBuilder()
                .dimensions(sizes)
                .encoderHiddenSize(hidden == null ? Integer.valueOf(sizes.tokenDim()) : hidden)
                .build();
    }

    @Override
    public AdapterPlan plan(BackboneSpec spec, PrefixConfig config) {
        return new PrefixPlan(spec, complete(spec, config));
    }
}
