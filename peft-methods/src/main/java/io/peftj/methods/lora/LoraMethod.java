package io.peftj.methods.lora;

import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterMethod;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.BaseValues;
import io.peftj.core.adapter.ConfigJson;
import io.peftj.core.adapter.WeightedAdapters;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.site.OutputRange;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import io.peftj.core.site.SiteNames;
import io.peftj.core.site.Targets;
import io.peftj.core.tensor.HostTensor;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** LoRA (arXiv 2106.09685), in files as PEFT has it. */
public final class LoraMethod implements AdapterMethod<LoraConfig> {
    /** Variants and extras of PEFT's that change what an adapter computes and are not implemented, with the value that means "not used". */
    private static final Map<String, JsonElement> VARIANTS = variants();

    private static final Set<String> OWN = Set.of(
            "r",
            "lora_alpha",
            "lora_dropout",
            "target_modules",
            "exclude_modules",
            "rank_pattern",
            "alpha_pattern",
            "layers_to_transform",
            "layers_pattern",
            "bias",
            "init_lora_weights",
            TrainableTokens.KEY,
            "use_dora",
            "use_rslora",
            "fan_in_fan_out",
            "megatron_core",
            "qalora_group_size",
            "modules_to_save",
            "task_type");

    /** Starts that are not implemented, of adapters that are like any other once they have started: the base's weights stay as they are. */
    private static final Set<String> OTHER_STARTS = Set.of("eva", "mica");

    /** Settings of starts that need data; without effect once an adapter has started, as in PEFT. */
    private static final List<String> OF_STARTS = List.of("corda_config", "eva_config", "lora_ga_config");

    private static Map<String, JsonElement> variants() {
        Map<String, JsonElement> variants = new LinkedHashMap<>();
        for (String key : List.of("use_qalora", "lora_bias", "ensure_weight_tying")) {
            variants.put(key, new JsonPrimitive(false));
        }
        for (String key : List.of(
                "alora_invocation_tokens",
                "arrow_config",
                "kasa_config",
                "layer_replication",
                "megatron_config",
                "monteclora_config",
                "target_parameters",
                "use_bdlora",
                "velora_config")) {
            variants.put(key, JsonNull.INSTANCE);
        }
        variants.put("loftq_config", new JsonObject());
        return variants;
    }

    /** Found by the service loader. */
    public LoraMethod() {}

    @Override
    public String type() {
        return "LORA";
    }

    @Override
    public Class<LoraConfig> configClass() {
        return LoraConfig.class;
    }

    @Override
    public Set<String> keys() {
        Set<String> keys = new HashSet<>(OWN);
        keys.addAll(VARIANTS.keySet());
        keys.addAll(OF_STARTS);
        return keys;
    }

    @Override
    public LoraConfig read(JsonObject json) {
        ConfigJson.refuse(json, "LoRA", VARIANTS.keySet());
        ConfigReader reader = ConfigJson.reader(json);
        return LoraConfig.builder()
                .rank(reader.optionalInt("r", 8))
                .alpha(reader.optionalDouble("lora_alpha", 8))
                .dropout(reader.optionalDouble("lora_dropout", 0))
                .targets(ConfigJson.targets(reader, "target_modules"))
                .exclude(
                        ConfigJson.isSet(json, "exclude_modules")
                                ? ConfigJson.targets(reader, "exclude_modules")
                                : null)
                .rankPattern(ranks(reader))
                .alphaPattern(alphas(reader))
                .layersToTransform(layers(reader))
                .layersPattern(ConfigJson.isSet(json, "layers_pattern") ? layersPattern(reader) : List.of())
                .bias(bias(reader))
                .init(init(reader))
                .dora(reader.optionalBoolean("use_dora", false))
                .rankStabilised(reader.optionalBoolean("use_rslora", false))
                .fanInFanOut(reader.optionalBoolean("fan_in_fan_out", false))
                .trainableTokens(TrainableTokens.read(reader))
                .modulesToSave(ConfigJson.modulesToSave(reader))
                .taskType(ConfigJson.taskType(reader))
                .build();
    }

    private static Map<String, Integer> ranks(ConfigReader reader) {
        Map<String, Integer> ranks = new LinkedHashMap<>();
        reader.optionalObject("rank_pattern")
                .ifPresent(object -> object.keys().forEach(key -> ranks.put(key, object.requiredInt(key))));
        return ranks;
    }

    private static Map<String, Double> alphas(ConfigReader reader) {
        Map<String, Double> alphas = new LinkedHashMap<>();
        reader.optionalObject("alpha_pattern")
                .ifPresent(object -> object.keys().forEach(key -> alphas.put(key, object.requiredDouble(key))));
        return alphas;
    }

    private static List<Integer> layers(ConfigReader reader) {
        return isOfType(reader, "layers_to_transform", JsonPrimitive::isNumber)
                ? List.of(reader.requiredInt("layers_to_transform"))
                : reader.ints("layers_to_transform");
    }

    private static List<String> layersPattern(ConfigReader reader) {
        return isOfType(reader, "layers_pattern", JsonPrimitive::isString)
                ? List.of(reader.requiredString("layers_pattern"))
                : reader.strings("layers_pattern");
    }

    private static boolean isOfType(ConfigReader reader, String key, Predicate<JsonPrimitive> type) {
        return reader.json().get(key) instanceof JsonPrimitive value && type.test(value);
    }

    private static LoraBias bias(ConfigReader reader) {
        String key = reader.optionalString("bias", "none");
        return Arrays.stream(LoraBias.values())
                .filter(bias -> bias.key().equals(key))
                .findFirst()
                .orElseThrow(() -> reader.error("bias", "none, all or lora_only", "correct it"));
    }

    private static LoraInit init(ConfigReader reader) {
        @Nullable JsonElement value = reader.json().get("init_lora_weights");
        if (value == null || value.isJsonNull()) {
            return LoraInit.ZERO_DELTA;
        }
        String name = value instanceof JsonPrimitive given ? given.getAsString().toLowerCase(Locale.ROOT) : "";
        if (OTHER_STARTS.contains(name)) {
            return LoraInit.ZERO_DELTA;
        }
        return LoraInit.named(name)
                .orElseThrow(() -> new InvalidConfigException("init_lora_weights: expected true, false, \"gaussian\","
                        + " \"orthogonal\", \"pissa\", \"olora\", \"eva\" or \"mica\", found " + value
                        + ", which may change the base's weights and is not implemented; convert the adapter with PEFT's"
                        + " save_pretrained(path_initial_model_for_weight_conversion=...)"));
    }

    @Override
    public JsonObject write(LoraConfig config) {
        JsonObject json = new JsonObject();
        VARIANTS.forEach((key, unused) -> json.add(key, unused.deepCopy()));
        OF_STARTS.forEach(key -> json.add(key, JsonNull.INSTANCE));
        json.addProperty("megatron_core", "megatron.core");
        json.addProperty("qalora_group_size", 16);
        json.addProperty("r", config.rank());
        json.add("lora_alpha", ConfigJson.whole(config.alpha()));
        json.addProperty("lora_dropout", config.dropout());
        json.add("target_modules", ConfigJson.json(config.targets()));
        json.add("exclude_modules", ConfigJson.json(config.exclude()));
        JsonObject ranks = new JsonObject();
        config.rankPattern().forEach(ranks::addProperty);
        json.add("rank_pattern", ranks);
        JsonObject alphas = new JsonObject();
        config.alphaPattern().forEach((key, alpha) -> alphas.add(key, ConfigJson.whole(alpha)));
        json.add("alpha_pattern", alphas);
        json.add("layers_to_transform", ConfigJson.numbers(config.layersToTransform()));
        json.add("layers_pattern", ConfigJson.json(config.layersPattern()));
        json.addProperty("bias", config.bias().key());
        json.add("init_lora_weights", config.init().key());
        json.add(TrainableTokens.KEY, TrainableTokens.write(config.trainableTokens()));
        json.addProperty("use_dora", config.dora());
        json.addProperty("use_rslora", config.rankStabilised());
        json.addProperty("fan_in_fan_out", config.fanInFanOut());
        ConfigJson.addCommon(json, config);
        return json;
    }

    /** Names default targets and all-linear, as PEFT does when it saves. */
    @Override
    public LoraConfig complete(BackboneSpec spec, LoraConfig config) {
        Targets targets = config.targets();
        if (targets == null) {
            targets = defaultTargets(spec);
        } else if (targets instanceof Targets.AllLinear) {
            targets = SiteNames.shortest(
                    spec.sites().stream().filter(Site::isBodyLinear).toList(), spec.sites());
        }
        return config.toBuilder()
                .targets(targets)
                .fanInFanOut(spec.sites().stream().anyMatch(Site::fanInFanOut))
                .build();
    }

    private static Targets defaultTargets(BackboneSpec spec) {
        List<Site> found = Stream.of(Role.QUERY, Role.VALUE)
                .flatMap(role -> spec.outputs(role).stream())
                .map(OutputRange::site)
                .distinct()
                .toList();
        if (found.isEmpty()) {
            throw new InvalidConfigException("LoRA has no default targets for " + spec.architecture()
                    + ", which has no layers that make queries and values; give target_modules");
        }
        return SiteNames.shortest(found, spec.sites());
    }

    /** What PiSSA and OLoRA take from the base stands in an equivalent LoRA of twice the rank, as PEFT converts them. */
    @Override
    public Adapter settle(Adapter adapter, BackboneSpec spec, BaseValues values) {
        LoraConfig config = (LoraConfig) adapter.config();
        if (!config.init().isOfBase()) {
            return adapter;
        }
        Map<String, HostTensor> doubled = new LoraPlan(spec, config).doubled(adapter.parameters(), values);
        return adapter.with(config.doubled(), doubled);
    }

    @Override
    public AdapterPlan plan(BackboneSpec spec, LoraConfig config) {
        return new LoraPlan(spec, complete(spec, config));
    }

    @Override
    public Adapter sum(WeightedAdapters adapters) {
        return new LoraCombination(adapters).exact();
    }
}
