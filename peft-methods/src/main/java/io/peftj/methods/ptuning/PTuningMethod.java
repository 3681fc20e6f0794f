package io.peftj.methods.ptuning;

import com.google.gson.JsonObject;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterMethod;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.ConfigJson;
import io.peftj.core.adapter.PromptDimensions;
import io.peftj.core.io.ConfigReader;
import java.util.HashSet;
import java.util.Set;

/** P-tuning (arXiv 2103.10385), in files as PEFT has it. */
public final class PTuningMethod implements AdapterMethod<PTuningConfig> {
    private static final String TOKENS = "num_virtual_tokens";
    private static final String ENCODER = "encoder_reparameterization_type";
    private static final String HIDDEN = "encoder_hidden_size";
    private static final String LAYERS = "encoder_num_layers";
    private static final String DROPOUT = "encoder_dropout";

    /** Found by the service loader. */
    public PTuningMethod() {}

    @Override
    public String type() {
        return "P_TUNING";
    }

    @Override
    public Class<PTuningConfig> configClass() {
        return PTuningConfig.class;
    }

    @Override
    public Set<String> keys() {
        Set<String> keys = new HashSet<>(PromptDimensions.KEYS);
        keys.addAll(Set.of(TOKENS, ENCODER, HIDDEN, LAYERS, DROPOUT, "modules_to_save", "task_type"));
        return keys;
    }

    @Override
    public PTuningConfig read(JsonObject json) {
        ConfigReader reader = ConfigJson.reader(json);
        return new PTuningConfig(
                reader.requiredInt(TOKENS),
                encoder(reader),
                reader.has(HIDDEN) ? reader.requiredInt(HIDDEN) : null,
                reader.optionalInt(LAYERS, PTuningConfig.LAYERS),
                reader.optionalDouble(DROPOUT, 0),
                PromptDimensions.read(reader),
                ConfigJson.modulesToSave(reader),
                ConfigJson.taskType(reader));
    }

    private static Encoder encoder(ConfigReader reader) {
        return switch (reader.optionalString(ENCODER, "MLP")) {
            case "MLP" -> Encoder.MLP;
            case "LSTM" -> Encoder.LSTM;
            default ->
                throw reader.error(
                        ENCODER, "\"MLP\" or \"LSTM\"", "correct it; a trained prompt does not depend on it");
        };
    }

    @Override
    public JsonObject write(PTuningConfig config) {
        JsonObject json = new JsonObject();
        json.addProperty(TOKENS, config.virtualTokens());
        json.addProperty(ENCODER, config.encoder().name());
        json.addProperty(HIDDEN, config.encoderHiddenSize());
        json.addProperty(LAYERS, config.encoderLayers());
        json.addProperty(DROPOUT, config.encoderDropout());
        PromptDimensions.write(json, config.dimensions());
        ConfigJson.addCommon(json, config);
        return json;
    }

    /**
     * Says the model's sizes.
     *
     * @throws InvalidConfigException if the configuration says others
     */
    @Override
    public PTuningConfig complete(BackboneSpec spec, PTuningConfig config) {
        return config.withDimensions(PromptDimensions.ofEmbeddings(spec).agreeing("prompt", spec, config.dimensions()));
    }

    @Override
    public AdapterPlan plan(BackboneSpec spec, PTuningConfig config) {
        return new PTuningPlan(spec, complete(spec, config));
    }
}
