package io.peftj.methods.bottleneck;

import com.google.gson.JsonObject;
import io.peftj.core.adapter.AdapterMethod;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.ConfigJson;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.tensor.Activation;
import java.util.Arrays;
import java.util.Set;

/**
 * Bottleneck adapters, in files of this library's own type.
 *
 * <p>In series a sublayer's output z becomes z + s·(U f(D z + b) + c) before the residual is added; in parallel s·(U f(D x + b) + c) of the feed-forward
 * network's input x is added to its output. The biases b and c start at 0.
 */
public final class BottleneckMethod implements AdapterMethod<BottleneckConfig> {
    private static final String PLACEMENT = "placement";
    private static final String REDUCTION = "reduction";
    private static final String RANK = "r";
    private static final String ACTIVATION = "activation";
    private static final String SCALE = "scale";

    /** Found by the service loader. */
    public BottleneckMethod() {}

    @Override
    public String type() {
        return "BOTTLENECK";
    }

    @Override
    public Class<BottleneckConfig> configClass() {
        return BottleneckConfig.class;
    }

    @Override
    public Set<String> keys() {
        return Set.of(PLACEMENT, REDUCTION, RANK, ACTIVATION, SCALE, "modules_to_save", "task_type");
    }

    /** Only the placement has to be given; all else is then as its paper has it. */
    @Override
    public BottleneckConfig read(JsonObject json) {
        ConfigReader reader = ConfigJson.reader(json);
        BottleneckConfig.Builder config = BottleneckConfig.builder(placement(reader));
        if (reader.has(RANK) && reader.has(REDUCTION)) {
            throw reader.error(
                    RANK, "it alone or " + REDUCTION + " alone", "keep one of the two, and set the other to null");
        }
        if (reader.has(RANK)) {
            config.rank(reader.requiredInt(RANK));
        }
        if (reader.has(REDUCTION)) {
            config.reduction(reader.requiredInt(REDUCTION));
        }
        if (reader.has(ACTIVATION)) {
            config.activation(activation(reader));
        }
        if (reader.has(SCALE)) {
            config.scale(reader.optionalDouble(SCALE, 1));
        }
        return config.modulesToSave(ConfigJson.modulesToSave(reader))
                .taskType(ConfigJson.taskType(reader))
                .build();
    }

    private static Placement placement(ConfigReader reader) {
        return Placement.named(reader.requiredString(PLACEMENT))
                .orElseThrow(() -> reader.error(
                        PLACEMENT,
                        "one of "
                                + Arrays.stream(Placement.values())
                                        .map(Placement::fileName)
                                        .toList(),
                        "correct it"));
    }

    private static Activation activation(ConfigReader reader) {
        return ActivationNames.named(reader.requiredString(ACTIVATION))
                .orElseThrow(() -> reader.error(
                        ACTIVATION,
                        "one of " + ActivationNames.all(),
                        "correct it, or leave it out for the placement's"));
    }

    @Override
    public JsonObject write(BottleneckConfig config) {
        Width width = config.width();
        JsonObject json = new JsonObject();
        json.addProperty(PLACEMENT, config.placement().fileName());
        json.addProperty(REDUCTION, width instanceof Width.Reduced reduced ? reduced.reduction() : null);
        json.addProperty(RANK, width instanceof Width.Of of ? of.rank() : null);
        json.addProperty(ACTIVATION, ActivationNames.of(config.activation()));
        json.add(SCALE, ConfigJson.whole(config.scale()));
        ConfigJson.addCommon(json, config);
        return json;
    }

    @Override
    public AdapterPlan plan(BackboneSpec spec, BottleneckConfig config) {
        return new BottleneckPlan(spec, config);
    }
}
