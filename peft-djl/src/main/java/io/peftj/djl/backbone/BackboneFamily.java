package io.peftj.djl.backbone;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.io.ConfigReader;

/**
 * A family of architectures that one package implements, found by {@link java.util.ServiceLoader}.
 *
 * <p>Implementations have a public constructor without arguments and no state.
 */
public interface BackboneFamily {
    /** The model_type values of config.json that it opens. */
    java.util.Set<String> modelTypes();

    /**
     * Describes the model of a config.json; reads nothing else.
     *
     * @throws io.peftj.core.PeftException if the configuration asks for something that is not implemented, by name
     */
    BackboneSpec spec(ConfigReader config);

    /** Opens the model's weights. */
    Transformer load(ConfigReader config, BackboneSpec spec, Weights weights);
}
