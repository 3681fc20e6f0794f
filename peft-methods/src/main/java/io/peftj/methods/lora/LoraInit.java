package io.peftj.methods.lora;

import com.google.gson.JsonPrimitive;

/** How the low-rank matrices start, as PEFT's init_lora_weights. */
public enum LoraInit {
    /** A uniform, B zero: the adapter starts as an identity. The default, "true" in the file. */
    ZERO_DELTA,
    /** A and B uniform: the adapter starts with a random delta, "false" in the file. For tests alone. */
    RANDOM,
    /** A normal, B zero. Read from files only. */
    GAUSSIAN,
    /** A and B from one orthogonal matrix. Read from files only. */
    ORTHOGONAL;

    /** The value in adapter_config.json. */
    JsonPrimitive key() {
        return switch (this) {
            case ZERO_DELTA -> new JsonPrimitive(true);
            case RANDOM -> new JsonPrimitive(false);
            case GAUSSIAN -> new JsonPrimitive("gaussian");
            case ORTHOGONAL -> new JsonPrimitive("orthogonal");
        };
    }
}
