package io.peftj.djl.backbone.bert;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.tensor.Activation;

/** The keys of a BERT config.json that decide what is computed; what is not implemented is refused by name. */
record BertConfig(
        String architecture,
        int layers,
        int width,
        int feedForward,
        int heads,
        int vocabulary,
        int positions,
        int types,
        double eps,
        Activation activation,
        int classes) {
    static BertConfig read(ConfigReader config) {
        String architecture = config.strings("architectures").stream()
                .findFirst()
                .orElseThrow(() -> config.error("architectures", "the name of a model class", "add it to config.json"));
        refuseUnimplemented(config);
        return new BertConfig(
                architecture,
                config.requiredInt("num_hidden_layers"),
                config.requiredInt("hidden_size"),
                config.requiredInt("intermediate_size"),
                config.requiredInt("num_attention_heads"),
                config.requiredInt("vocab_size"),
                config.optionalInt("max_position_embeddings", 512),
                config.optionalInt("type_vocab_size", 2),
                config.optionalDouble("layer_norm_eps", 1e-12),
                activation(config.optionalString("hidden_act", "gelu")),
                config.optionalObject("id2label")
                        .map(labels -> labels.keys().size())
                        .orElse(config.optionalInt("num_labels", 2)));
    }

    boolean classifies() {
        return architecture.endsWith("ForSequenceClassification");
    }

    /** What parameter names begin with: the bare model has no prefix. */
    String prefix() {
        return architecture.equals("BertModel") ? "" : "bert.";
    }

    private static Activation activation(String name) {
        return switch (name) {
            case "gelu" -> Activation.GELU;
            case "gelu_new", "gelu_pytorch_tanh" -> Activation.GELU_TANH;
            case "relu" -> Activation.RELU;
            case "silu", "swish" -> Activation.SILU;
            default ->
                throw new InvalidConfigException(
                        "hidden_act \"" + name
                                + "\" of config.json is not implemented; known are gelu, gelu_new, gelu_pytorch_tanh, relu and silu");
        };
    }

    private static void refuseUnimplemented(ConfigReader config) {
        String positions = config.optionalString("position_embedding_type", "absolute");
        if (!positions.equals("absolute")) {
            throw new InvalidConfigException("position_embedding_type \"" + positions
                    + "\" of config.json is not implemented; only absolute is");
        }
        if (config.optionalBoolean("is_decoder", false) || config.optionalBoolean("add_cross_attention", false)) {
            throw new InvalidConfigException(
                    "config.json makes a decoder of BERT (is_decoder or add_cross_attention), which is not implemented");
        }
    }
}
