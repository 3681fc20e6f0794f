package io.peftj.core.adapter;

import com.google.gson.JsonObject;
import io.peftj.core.tensor.HostTensor;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A trained or loaded adapter in Java's memory: immutable, safe to share between threads, nothing to close.
 *
 * @param type the method's type, such as "LORA"
 * @param config the method's settings
 * @param parameters the stored parameters under their names in the file
 * @param task what else an application needs to use it
 * @param fingerprint of the base it was made for; null in files that PEFT wrote
 * @param seed of the training that made it; null where there was none or the file does not say
 * @param otherKeys keys of adapter_config.json that no method knows, kept for writing back
 */
public record Adapter(
        String type,
        AdapterConfig config,
        Map<String, HostTensor> parameters,
        TaskData task,
        @Nullable String fingerprint,
        @Nullable Long seed,
        JsonObject otherKeys) {
    /** Keeps copies; the parameters' arrays are shared. */
    public Adapter {
        parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
        otherKeys = otherKeys.deepCopy();
    }

    /** An adapter of parameters that no training of ours made. */
    public Adapter(
            String type,
            AdapterConfig config,
            Map<String, HostTensor> parameters,
            TaskData task,
            @Nullable String fingerprint,
            JsonObject otherKeys) {
        this(type, config, parameters, task, fingerprint, null, otherKeys);
    }

    /** The same adapter in another form: other settings of the same method, and the parameters that go with them. */
    public Adapter with(AdapterConfig newConfig, Map<String, HostTensor> newParameters) {
        return new Adapter(type, newConfig, newParameters, task, fingerprint, seed, otherKeys);
    }

    /** Writes the adapter as {@link AdapterFiles#save} does. */
    public void save(Path folder) {
        AdapterFiles.save(this, folder);
    }
}
