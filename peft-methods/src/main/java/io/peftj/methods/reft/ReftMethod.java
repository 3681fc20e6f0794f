package io.peftj.methods.reft;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.peftj.core.adapter.AdapterMethod;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.ConfigJson;
import io.peftj.core.adapter.SavedModules;
import io.peftj.core.io.ConfigReader;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.IntStream;

/** LoReFT and its family (arXiv 2404.03592), in files of this library's own type. */
public final class ReftMethod implements AdapterMethod<ReftConfig> {
    private static final String RANK = "r";
    private static final String LAYERS = "layers";
    private static final String FIRST = "first_positions";
    private static final String LAST = "last_positions";
    private static final String SHARE = "share_weights";
    private static final String OFFSET = "length_offset";
    private static final String VARIANT = "variant";
    private static final String DROPOUT = "dropout";

    /** Found by the service loader. */
    public ReftMethod() {}

    @Override
    public String type() {
        return "LOREFT";
    }

    @Override
    public Class<ReftConfig> configClass() {
        return ReftConfig.class;
    }

    @Override
    public Set<String> keys() {
        return Set.of(RANK, LAYERS, FIRST, LAST, SHARE, OFFSET, VARIANT, DROPOUT, "modules_to_save", "task_type");
    }

    @Override
    public ReftConfig read(JsonObject json) {
        ConfigReader reader = ConfigJson.reader(json);
        return ReftConfig.builder()
                .variant(variant(reader))
                .rank(reader.requiredInt(RANK))
                .layers(reader.ints(LAYERS))
                .positions(reader.requiredInt(FIRST), reader.requiredInt(LAST))
                .shareWeights(reader.optionalBoolean(SHARE, false))
                .lengthOffset(reader.optionalInt(OFFSET, 0))
                .dropout(reader.optionalDouble(DROPOUT, 0))
                .modulesToSave(ConfigJson.modulesToSave(reader))
                .headOfTask(false)
                .taskType(ConfigJson.taskType(reader))
                .build();
    }

    private static ReftVariant variant(ConfigReader reader) {
        String key = reader.optionalString(VARIANT, ReftVariant.LOREFT.key());
        return ReftVariant.named(key)
                .orElseThrow(() -> reader.error(
                        VARIANT,
                        "one of "
                                + Arrays.stream(ReftVariant.values())
                                        .map(ReftVariant::key)
                                        .toList(),
                        "correct it"));
    }

    @Override
    public JsonObject write(ReftConfig config) {
        JsonObject json = new JsonObject();
        json.addProperty(VARIANT, config.variant().key());
        json.addProperty(RANK, config.rank());
        JsonArray layers = new JsonArray();
        config.layers().forEach(layers::add);
        json.add(LAYERS, layers);
        json.addProperty(FIRST, config.firstPositions());
        json.addProperty(LAST, config.lastPositions());
        json.addProperty(SHARE, config.shareWeights());
        json.addProperty(OFFSET, config.lengthOffset());
        json.addProperty(DROPOUT, config.dropout());
        ConfigJson.addCommon(json, config);
        return json;
    }

    /** Says all layers where none are said, and the task's head among the modules to save. */
    @Override
    public ReftConfig complete(BackboneSpec spec, ReftConfig config) {
        ReftConfig.Builder completed = config.toBuilder().headOfTask(false);
        if (config.layers().isEmpty()) {
            completed.layers(IntStream.range(0, spec.layers()).boxed().toList());
        }
        if (config.headOfTask()) {
            completed.modulesToSave(SavedModules.withHead(spec, config));
        }
        return completed.build();
    }

    @Override
    public AdapterPlan plan(BackboneSpec spec, ReftConfig config) {
        return new ReftPlan(spec, complete(spec, config));
    }
}
