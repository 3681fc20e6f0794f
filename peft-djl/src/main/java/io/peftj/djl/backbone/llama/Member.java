package io.peftj.djl.backbone.llama;

import io.peftj.core.io.ConfigReader;

/** What tells the members of the family apart. The default methods are LLaMA's own ways; a member names its differences. */
@FunctionalInterface
interface Member {
    /** What the names of its classes at Hugging Face begin with, such as "Llama". */
    String classes();

    /** Whether the layers that make queries, keys and values have biases. */
    default boolean projectionBias(ConfigReader config) {
        return config.optionalBoolean("attention_bias", false);
    }

    /** Whether the attention's output layer has a bias. */
    default boolean outputBias(ConfigReader config) {
        return config.optionalBoolean("attention_bias", false);
    }

    /** Whether the layers of the feed-forward network have biases. */
    default boolean feedForwardBias(ConfigReader config) {
        return config.optionalBoolean("mlp_bias", false);
    }

    /** Whether every head's queries and keys are normed before they are rotated. */
    default boolean headNorms() {
        return false;
    }

    /** Width of a head where config.json does not give it. */
    default int headDim(int width, int heads) {
        return width / heads;
    }

    /** How many tokens a query sees, its own included. */
    default int window(ConfigReader config) {
        return Integer.MAX_VALUE;
    }
}
