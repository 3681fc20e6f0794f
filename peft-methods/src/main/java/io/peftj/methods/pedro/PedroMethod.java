package io.peftj.methods.pedro;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.peftj.core.adapter.AdapterMethod;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.ConfigJson;
import io.peftj.core.adapter.SavedModules;
import io.peftj.core.io.ConfigReader;
import io.peftj.methods.pedro.PedroActivation.Fixed;
import io.peftj.methods.pedro.PedroActivation.Rational;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/** PEDRO (arXiv 2409.17834), in files of this library's own type. */
public final class PedroMethod implements AdapterMethod<PedroConfig> {
    private static final String RANK = "r";
    private static final String POOLING = "pooling";
    private static final String NORM = "pool_norm";
    private static final String RMS = "rms";
    private static final String NONE = "none";
    private static final String ACTIVATION = "activation";
    private static final String RATIONAL = "rational";
    private static final String DEGREES = "rational_degrees";
    private static final String TARGETS = "targets";

    /** Found by the service loader. */
    public PedroMethod() {}

    @Override
    public String type() {
        return "PEDRO";
    }

    @Override
    public Class<PedroConfig> configClass() {
        return PedroConfig.class;
    }

    @Override
    public Set<String> keys() {
        return Set.of(RANK, POOLING, NORM, ACTIVATION, DEGREES, TARGETS, "modules_to_save", "task_type");
    }

    @Override
    public PedroConfig read(JsonObject json) {
        ConfigReader reader = ConfigJson.reader(json);
        return PedroConfig.builder()
                .rank(reader.requiredInt(RANK))
                .pooling(pooling(reader))
                .poolNorm(norm(reader))
                .activation(activation(reader))
                .targets(targets(reader))
                .modulesToSave(ConfigJson.modulesToSave(reader))
                .headOfTask(false)
                .taskType(ConfigJson.taskType(reader))
                .build();
    }

    private static PromptPooling pooling(ConfigReader reader) {
        return PromptPooling.named(reader.optionalString(POOLING, PromptPooling.LAST.key()))
                .orElseThrow(() -> reader.error(
                        POOLING,
                        "one of "
                                + Arrays.stream(PromptPooling.values())
                                        .map(PromptPooling::key)
                                        .toList(),
                        "correct it"));
    }

    private static boolean norm(ConfigReader reader) {
        String norm = reader.optionalString(NORM, RMS);
        if (!norm.equals(RMS) && !norm.equals(NONE)) {
            throw reader.error(NORM, "\"" + RMS + "\" or \"" + NONE + "\"", "correct it");
        }
        return norm.equals(RMS);
    }

    private static PedroActivation activation(ConfigReader reader) {
        String name = reader.optionalString(ACTIVATION, RATIONAL);
        if (!name.equals(RATIONAL)) {
            return Fixed.named(name)
                    .orElseThrow(() -> reader.error(
                            ACTIVATION,
                            RATIONAL + " or one of "
                                    + Arrays.stream(Fixed.values())
                                            .map(Fixed::key)
                                            .toList(),
                            "correct it"));
        }
        if (!reader.has(DEGREES)) {
            return PedroActivation.rational();
        }
        List<Integer> degrees = reader.ints(DEGREES);
        if (degrees.size() != 2) {
            throw reader.error(DEGREES, "two numbers", "correct it, or leave it out for [5, 4]");
        }
        return new Rational(degrees.get(0), degrees.get(1), RationalStart.GELU);
    }

    private static List<PedroTarget> targets(ConfigReader reader) {
        if (!reader.has(TARGETS)) {
            return List.of(PedroTarget.values());
        }
        List<PedroTarget> targets = new ArrayList<>();
        for (String key : reader.strings(TARGETS)) {
            targets.add(PedroTarget.named(key)
                    .orElseThrow(() -> reader.error(TARGETS, "some of " + PedroTarget.KEYS, "correct it")));
        }
        return targets;
    }

    @Override
    public JsonObject write(PedroConfig config) {
        JsonObject json = new JsonObject();
        json.addProperty(RANK, config.rank());
        json.addProperty(POOLING, config.pooling().key());
        json.addProperty(NORM, config.poolNorm() ? RMS : NONE);
        if (config.activation() instanceof Rational rational) {
            json.addProperty(ACTIVATION, RATIONAL);
            if (!RationalStart.USUAL_DEGREES.equals(
                    List.of(rational.numeratorDegree(), rational.denominatorDegree()))) {
                JsonArray degrees = new JsonArray();
                degrees.add(rational.numeratorDegree());
                degrees.add(rational.denominatorDegree());
                json.add(DEGREES, degrees);
            }
        } else {
            json.addProperty(ACTIVATION, ((Fixed) config.activation()).key());
        }
        JsonArray targets = new JsonArray();
        config.targets().forEach(target -> targets.add(target.key()));
        json.add(TARGETS, targets);
        ConfigJson.addCommon(json, config);
        return json;
    }

    /** Says the task's head among the modules to save. */
    @Override
    public PedroConfig complete(BackboneSpec spec, PedroConfig config) {
        return config.headOfTask()
                ? config.toBuilder()
                        .modulesToSave(SavedModules.withHead(spec, config))
                        .headOfTask(false)
                        .build()
                : config;
    }

    @Override
    public AdapterPlan plan(BackboneSpec spec, PedroConfig config) {
        return new PedroPlan(spec, complete(spec, config));
    }
}
