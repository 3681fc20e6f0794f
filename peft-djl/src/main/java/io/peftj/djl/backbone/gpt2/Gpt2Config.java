package io.peftj.djl.backbone.gpt2;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.tensor.Activation;
import java.util.List;

/** The keys of a GPT-2 config.json that decide what is computed; what is not implemented is refused by name. */
record Gpt2Config(
        String architecture,
        int layers,
        int width,
        int feedForward,
        int heads,
        int vocabulary,
        int positions,
        double eps,
        Activation activation,
        boolean scalesByWidth,
        boolean scalesByLayer,
        boolean tied,
        int classes) {
    private static final List<String> ARCHITECTURES =
            List.of("GPT2LMHeadModel", "GPT2ForSequenceClassification", "GPT2Model");

    static Gpt2Config read(ConfigReader config) {
        String architecture = config.strings("architectures").stream()
                .findFirst()
                .orElseThrow(() -> config.error("architectures", "the name of a model class", "add it to config.json"));
        if (!ARCHITECTURES.contains(architecture)) {
            throw new InvalidConfigException("architecture " + architecture
                    + " of config.json is not implemented; of this model_type there are " + ARCHITECTURES);
        }
        refuseUnimplemented(config);
        int width = config.optionalInt("n_embd", 768);
        int heads = config.optionalInt("n_head", 12);
        if (width % heads != 0) {
            throw config.error("n_head", "a divisor of n_embd, " + width, "correct it");
        }
        return new Gpt2Config(
                architecture,
                config.optionalInt("n_layer", 12),
                width,
                config.optionalInt("n_inner", 4 * width),
                heads,
                config.optionalInt("vocab_size", 50257),
                config.optionalInt("n_positions", 1024),
                config.optionalDouble("layer_norm_epsilon", 1e-5),
                activation(config.optionalString("activation_function", "gelu_new")),
                config.optionalBoolean("scale_attn_weights", true),
                config.optionalBoolean("scale_attn_by_inverse_layer_idx", false),
                config.optionalBoolean("tie_word_embeddings", true),
                config.optionalObject("id2label")
                        .map(labels -> labels.keys().size())
                        .orElse(config.optionalInt("num_labels", 2)));
    }

    boolean classifies() {
        return architecture.endsWith("ForSequenceClassification");
    }

    /** Whether it makes next-token logits; the bare model ends with hidden states. */
    boolean generates() {
        return architecture.equals("GPT2LMHeadModel");
    }

    /** What the body's parameter names begin with. */
    String prefix() {
        return classifies() || generates() ? "transformer." : "";
    }

    /** What a layer's attention scores are multiplied with. */
    double attentionScale(int layer) {
        double scale = scalesByWidth ? 1 / Math.sqrt((double) width / heads) : 1;
        return scalesByLayer ? scale / (layer + 1) : scale;
    }

    private static Activation activation(String name) {
        return switch (name) {
            case "gelu_new", "gelu_pytorch_tanh", "gelu_fast" -> Activation.GELU_TANH;
            case "gelu" -> Activation.GELU;
            case "relu" -> Activation.RELU;
            case "silu", "swish" -> Activation.SILU;
            default ->
                throw new InvalidConfigException(
                        "activation_function \"" + name
                                + "\" of config.json is not implemented; known are gelu_new, gelu_pytorch_tanh, gelu_fast, gelu, relu and silu");
        };
    }

    /** reorder_and_upcast_attn changes rounding alone. */
    private static void refuseUnimplemented(ConfigReader config) {
        if (config.has("quantization_config")) {
            throw new InvalidConfigException(
                    "config.json has a quantization_config, which is not implemented; use the unquantised model");
        }
        if (config.optionalBoolean("add_cross_attention", false)) {
            throw new InvalidConfigException("config.json has add_cross_attention, which is not implemented");
        }
    }
}
