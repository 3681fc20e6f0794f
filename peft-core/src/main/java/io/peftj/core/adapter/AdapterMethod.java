package io.peftj.core.adapter;

import com.google.gson.JsonObject;
import io.peftj.core.InvalidConfigException;

/**
 * A method of parameter-efficient fine-tuning: how its configuration is read and what it does to a model.
 *
 * <p>Found by {@link java.util.ServiceLoader}; an implementation has a public constructor without arguments, holds no state and loads nothing native.
 * What it does on a given model is said by its {@link AdapterPlan}.
 *
 * @param <C> the method's configuration
 */
public interface AdapterMethod<C extends AdapterConfig> {
    /** The name in adapter_config.json's peft_type, such as "LORA". */
    String type();

    /** The class of its configurations. */
    Class<C> configClass();

    /**
     * Reads the method's keys of an adapter_config.json.
     *
     * @throws io.peftj.core.InvalidConfigException if a key is bad, or asks for a variant that is not implemented (by name, never ignored)
     * @throws io.peftj.core.InvalidFileException if a key is missing or has a value of another type
     */
    C read(JsonObject json);

    /** Writes the method's keys as PEFT writes them, those of variants PEFT's readers expect included. */
    JsonObject write(C config);

    /** The keys {@link #read} understands; others in a file are kept and written back untouched. */
    java.util.Set<String> keys();

    /**
     * Fills in what the configuration leaves to the model, such as default targets: what is saved, so that other readers need not know our defaults.
     *
     * @throws io.peftj.core.InvalidConfigException if the model has no defaults
     */
    default C complete(BackboneSpec spec, C config) {
        return config;
    }

    /**
     * The form in which applications keep a newly trained adapter, where that is another one than training uses: equal in what it does, and in need of
     * nothing that is made of the base.
     *
     * @param spec the model it was trained on, with its head
     * @param values the model's
     */
    default Adapter settle(Adapter adapter, BackboneSpec spec, BaseValues values) {
        return adapter;
    }

    /**
     * One adapter that changes the model by the weighted sum of what others change, where the method can make that change.
     *
     * @throws io.peftj.core.InvalidConfigException if it cannot, in general or of these adapters
     */
    default Adapter sum(WeightedAdapters adapters) {
        throw new InvalidConfigException("adapters of type " + type() + " cannot be added up: no adapter of this type"
                + " makes the sum of what they do; keep them apart, one to a row, or train one on the data of both");
    }

    /**
     * Says what the method does on a model: parameters, initial values, where it acts.
     *
     * @throws io.peftj.core.InvalidConfigException if the configuration does not fit the model
     */
    AdapterPlan plan(BackboneSpec spec, C config);
}
