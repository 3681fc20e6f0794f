package io.peftj.djl.backbone.llama;

import io.peftj.core.io.ConfigReader;

/** Qwen3 (arXiv 2505.09388): LLaMA with a norm on every head's queries and keys, whose width does not follow from the model's. */
final class Qwen3 implements Member {
    @Override
    public String classes() {
        return "Qwen3";
    }

    @Override
    public boolean feedForwardBias(ConfigReader config) {
        return false;
    }

    @Override
    public boolean headNorms() {
        return true;
    }

    @Override
    public int headDim(int width, int heads) {
        return 128;
    }

    @Override
    public int window(ConfigReader config) {
        return Qwen2.slidingWindow(config);
    }
}
