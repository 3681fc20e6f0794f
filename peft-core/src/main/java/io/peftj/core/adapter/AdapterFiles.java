package io.peftj.core.adapter;

import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import io.peftj.core.io.AdapterDirectory;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.io.Fingerprint;
import io.peftj.core.io.StoredTensor;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Adapters as directories that PEFT reads and writes: adapter_config.json and adapter_model.safetensors.
 *
 * <p>Keys of the configuration that no method knows are kept. What PEFT has no place for, task data and the base's fingerprint, stands in the
 * metadata of the tensors' file, where it ignores it.
 */
public final class AdapterFiles {
    static final String CONFIG = "adapter_config.json";

    private static final Logger LOG = LoggerFactory.getLogger(AdapterFiles.class);
    /** The version of PEFT whose keys are written. */
    private static final String PEFT_VERSION = "0.21.0";

    private static final String TYPE = "peft_type";
    private static final String INFERENCE = "inference_mode";
    private static final String BASE = "base_model_name_or_path";
    /** Keys of every PEFT configuration that say nothing about the method. */
    private static final Set<String> COMMON = Set.of("auto_mapping", BASE, "peft_version", "revision");
    /** A path that means something on one machine only: /x, ~/x, C:\x, \\server\x, file:x. */
    private static final Pattern ABSOLUTE_PATH = Pattern.compile("(?s)(/|~|\\\\|[A-Za-z]:|file:).*");

    private AdapterFiles() {}

    /**
     * Writes both files as a unit, making the folder where there is none.
     *
     * @throws io.peftj.core.PeftException if they could not be written; an adapter that was there is then still whole
     */
    public static void save(Adapter adapter, Path folder) {
        List<StoredTensor> tensors = adapter.parameters().entrySet().stream()
                .map(entry -> StoredTensor.f32(entry.getKey(), entry.getValue()))
                .toList();
        AdapterDirectory.write(folder, config(adapter), tensors, AdapterMetadata.write(adapter));
    }

    /**
     * Reads an adapter without a model at hand: whether it fits one is for {@link #check} to say.
     *
     * @throws io.peftj.core.InvalidFileException if a file is missing, damaged or a pickle
     * @throws io.peftj.core.InvalidConfigException if the method is not known or asks for something not implemented
     */
    public static Adapter load(Path folder) {
        return read(folder).adapter();
    }

    /**
     * Reads an adapter for a model, its parameters in the plan's order.
     *
     * @throws io.peftj.core.IncompatibleAdapterException if it does not fit, as {@link #check} says, or as the options loosen it
     */
    public static Adapter load(Path folder, BackboneSpec spec, LoadOptions options) {
        Read read = read(folder);
        return AdapterFit.fit(read.adapter(), read.copiesOfBase(), spec, options);
    }

    /**
     * Reads an adapter for a model whose fingerprint is known.
     *
     * @throws io.peftj.core.IncompatibleAdapterException if it does not fit, or was trained on another base, as the options loosen it
     */
    public static Adapter load(Path folder, BackboneSpec spec, Fingerprint base, LoadOptions options) {
        return load(folder, spec, base, name -> Optional.empty(), options);
    }

    /**
     * Reads an adapter for a model whose fingerprint and values are known. PEFT's files record no base, but some hold copies of its parameters, which
     * are compared at fixed places.
     *
     * @param values the model's parameters by name, as its architecture's files have them
     * @throws io.peftj.core.IncompatibleAdapterException if it does not fit, or was trained on another base, as the options loosen it
     */
    public static Adapter load(
            Path folder,
            BackboneSpec spec,
            Fingerprint base,
            Function<String, Optional<Fingerprint.Tensor>> values,
            LoadOptions options) {
        Read read = read(folder);
        Adapter adapter = AdapterFit.fit(read.adapter(), read.copiesOfBase(), spec, options);
        AdapterFit.compareBases(adapter, base, options);
        AdapterFit.compareValues(adapter, read.copiesOfBase(), spec, values, options);
        return options.lenient() ? ofNoBase(adapter) : adapter;
    }

    /** Nobody is to ask again for which base it was made, and nothing to say that it was this one. */
    private static Adapter ofNoBase(Adapter adapter) {
        return new Adapter(
                adapter.type(),
                adapter.config(),
                adapter.parameters(),
                adapter.task(),
                null,
                adapter.seed(),
                adapter.otherKeys());
    }

    /**
     * Checks that an adapter's parameters are those its method has on a model: none missing, none more, each of the right shape, with values as the method
     * makes them.
     *
     * @throws io.peftj.core.IncompatibleAdapterException if not; the message lists the differences
     */
    public static void check(Adapter adapter, BackboneSpec spec) {
        AdapterFit.fit(adapter, List.of(), spec, LoadOptions.STRICT);
    }

    /**
     * Checks also that an adapter which recorded its base was trained on this one; adapters of PEFT's record none.
     *
     * @throws io.peftj.core.IncompatibleAdapterException if not; the message names both bases
     */
    public static void check(Adapter adapter, BackboneSpec spec, Fingerprint base) {
        check(adapter, spec);
        AdapterFit.compareBases(adapter, base, LoadOptions.STRICT);
    }

    /** An adapter, and what else its file held: copies of base parameters under their names in the base. */
    private record Read(Adapter adapter, List<AdapterTensors.Copy> copiesOfBase) {}

    private static Read read(Path folder) {
        try (AdapterDirectory directory = AdapterDirectory.open(folder)) {
            JsonObject json = directory.config();
            String type = ConfigReader.of(json, CONFIG).requiredString(TYPE);
            AdapterMethod<?> method = AdapterMethods.named(type);
            AdapterConfig config = method.read(json);
            AdapterTensors tensors = AdapterTensors.of(directory.tensors());
            AdapterMetadata metadata = AdapterMetadata.read(directory.tensors());
            Adapter adapter = new Adapter(
                    type,
                    config,
                    tensors.parameters(),
                    metadata.task(),
                    metadata.fingerprint(),
                    metadata.seed(),
                    otherKeys(json, method.keys()));
            return new Read(adapter, tensors.copiesOfBase());
        }
    }

    private static JsonObject otherKeys(JsonObject json, Set<String> known) {
        Set<String> taken = new HashSet<>(known);
        taken.addAll(Set.of(TYPE, INFERENCE));
        JsonObject others = new JsonObject();
        for (Map.Entry<String, JsonElement> entry : json.entrySet()) {
            String key = entry.getKey();
            if (!taken.contains(key)) {
                others.add(key, entry.getValue());
                if (!COMMON.contains(key) && ConfigJson.isSet(entry.getValue())) {
                    LOG.warn("{} has the unknown key \"{}\", which is kept and has no effect", CONFIG, key);
                }
            }
        }
        return others;
    }

    private static JsonObject config(Adapter adapter) {
        JsonObject json = written(adapter.config());
        json.addProperty(TYPE, adapter.type());
        json.addProperty(INFERENCE, true);
        COMMON.forEach(key -> json.add(key, JsonNull.INSTANCE));
        json.addProperty("peft_version", PEFT_VERSION);
        adapter.otherKeys().entrySet().forEach(entry -> json.add(entry.getKey(), entry.getValue()));
        if (json.get(BASE).isJsonPrimitive()
                && isPathOfThisMachine(json.get(BASE).getAsString())) {
            json.add(BASE, JsonNull.INSTANCE);
        }
        return json;
    }

    /** Whether a name means something on one machine only, so that files for others must not have it. */
    public static boolean isPathOfThisMachine(String name) {
        return ABSOLUTE_PATH.matcher(name).matches();
    }

    private static <C extends AdapterConfig> JsonObject written(C config) {
        return AdapterMethods.of(config).write(config);
    }
}
