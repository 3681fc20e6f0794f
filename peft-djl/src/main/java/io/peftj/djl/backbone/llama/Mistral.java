package io.peftj.djl.backbone.llama;

import io.peftj.core.io.ConfigReader;

/** Mistral (arXiv 2310.06825): LLaMA with a window that slides in every layer unless config.json says null. */
final class Mistral implements Member {
    @Override
    public String classes() {
        return "Mistral";
    }

    @Override
    public boolean projectionBias(ConfigReader config) {
        return false;
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
        boolean given = config.keys().contains("sliding_window");
        return config.optionalInt("sliding_window", given ? Integer.MAX_VALUE : 4096);
    }
}
