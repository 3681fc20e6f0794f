package io.peftj.djl.backbone.llama;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.io.ConfigReader;
import java.util.List;

/** Qwen2 and 2.5 (arXiv 2407.10671): LLaMA with biases on queries, keys and values, and a window in some layers where it is switched on. */
final class Qwen2 implements Member {
    @Override
    public String classes() {
        return "Qwen2";
    }

    @Override
    public boolean projectionBias(ConfigReader config) {
        return true;
    }

    @Override
    public boolean outputBias(ConfigReader config) {
        return false;
    }

    @Override
    public boolean feedForwardBias(ConfigReader config) {
        return false;
    }

    @Override
    public int window(ConfigReader config) {
        return slidingWindow(config);
    }

    /** By Qwen's keys: use_sliding_window, sliding_window, and layer_types or max_window_layers. */
    static int slidingWindow(ConfigReader config) {
        List<String> types = config.strings("layer_types");
        for (String type : types) {
            if (!type.equals("full_attention") && !type.equals("sliding_attention")) {
                throw new InvalidConfigException("layer_types of config.json names \"" + type
                        + "\", which is not implemented; known are full_attention and sliding_attention");
            }
        }
        boolean slides = types.isEmpty()
                ? config.optionalInt("max_window_layers", 28) < config.requiredInt("num_hidden_layers")
                : types.contains("sliding_attention");
        return slides && config.optionalBoolean("use_sliding_window", false)
                ? config.optionalInt("sliding_window", Integer.MAX_VALUE)
                : Integer.MAX_VALUE;
    }
}
