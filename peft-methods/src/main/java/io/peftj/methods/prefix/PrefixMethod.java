package io.peftj.methods.prefix;

import com.google.gson.JsonObject;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterMethod;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.ConfigJson;
import io.peftj.core.io.ConfigReader;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Prefix tuning (arXiv 2101.00190), in files as PEFT has it. */
public final class PrefixMethod implements AdapterMethod<PrefixConfig> {
    private static final String LAYERS = "num_layers";
    private static final String HEADS = "num_attention_heads";
    private static final String TOKEN_DIM = "token_dim";
    private static final String SUBMODULES = "num_transformer_submodules";
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
        return Set.of(
                "num_virtual_tokens",
                "prefix_projection",
                HIDDEN,
                INIT,
                LAYERS,
                HEADS,
                TOKEN_DIM,
                SUBMODULES,
                "modules_to_save",
                "task_type");
    }

    @Override
    public PrefixConfig read(JsonObject json) {
        ConfigReader reader = ConfigJson.reader(json);
        int submodules = reader.optionalInt(SUBMODULES, 1);
        if (submodules != 1) {
            throw new InvalidConfigException(SUBMODULES + ": expected 1, found " + submodules
                    + "; prefixes of encoder-decoder models are not implemented");
        }
        return PrefixConfig.builder()
                .virtualTokens(reader.requiredInt("num_virtual_tokens"))
                .projection(reader.optionalBoolean("prefix_projection", false))
                .encoderHiddenSize(reader.has(HIDDEN) ? reader.requiredInt(HIDDEN) : null)
                .init(init(reader))
                .dimensions(dimensions(reader))
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

    private static @Nullable PrefixDimensions dimensions(ConfigReader reader) {
        return reader.has(LAYERS) && reader.has(HEADS) && reader.has(TOKEN_DIM)
                ? new PrefixDimensions(
                        reader.requiredInt(LAYERS), reader.requiredInt(HEADS), reader.requiredInt(TOKEN_DIM))
                : null;
    }

    @Override
    public JsonObject write(PrefixConfig config) {
        JsonObject json = new JsonObject();
        json.addProperty("num_virtual_tokens", config.virtualTokens());
        json.addProperty("prefix_projection", config.projection());
        json.addProperty(HIDDEN, config.encoderHiddenSize());
        json.addProperty(INIT, config.init() instanceof PrefixInit.Zero ? "zero" : null);
        PrefixDimensions dimensions = config.dimensions();
        json.addProperty(LAYERS, dimensions == null ? null : dimensions.layers());
        json.addProperty(HEADS, dimensions == null ? null : dimensions.keyValueHeads());
        json.addProperty(TOKEN_DIM, dimensions == null ? null : dimensions.tokenDim());
        json.addProperty(SUBMODULES, 1);
        ConfigJson.addCommon(json, config);
        return json;
    }

    /** Says the model's sizes, and checks those the configuration says. */
    @Override
    public PrefixConfig complete(BackboneSpec spec, PrefixConfig config) {
        PrefixDimensions sizes = PrefixDimensions.of(spec);
        PrefixDimensions said = config.dimensions();
        if (said != null && !said.equals(sizes)) {
            throw new InvalidConfigException("the prefix is for a model with " + said + ", but " + spec.architecture()
                    + " has " + sizes + "; use the model it was trained on");
        }
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
