package io.peftj.methods.lora;

import java.util.Locale;

/** Which biases of the base are trained and saved beside the low-rank matrices. */
public enum LoraBias {
    NONE,
    /** Every bias of the model. */
    ALL,
    /** Those of the targeted layers. */
    LORA_ONLY;

    /** The value in adapter_config.json. */
    String key() {
        return name().toLowerCase(Locale.ROOT);
    }
}
