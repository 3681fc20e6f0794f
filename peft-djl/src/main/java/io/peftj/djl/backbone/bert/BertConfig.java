package io.peftj.djl.backbone.bert;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.tensor.Activation;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The keys of a BERT-family config.json that decide what is computed; what is not implemented is refused by name.
 *
 * @param positionRows rows of the position embeddings
 * @param firstPosition the row that a row's first token has
 * @param body what the body is called in models with a head, such as "bert"
 * @param pools whether classification goes through the body's pooler
 * @param head the classification head; null for the bare model
 */
record BertConfig(
        String architecture,
        int layers,
        int width,
        int feedForward,
        int heads,
        int vocabulary,
        int positionRows,
        int firstPosition,
        int types,
        double eps,
        Activation activation,
        String body,
        boolean pools,
        @Nullable HeadSpec head) {
    static BertConfig read(ConfigReader config) {
        Member member = Objects.requireNonNull(BertFamily.MEMBERS.get(config.requiredString("model_type")));
        refuseUnimplemented(config);
        String architecture = architecture(config, member);
        int width = config.requiredInt("hidden_size");
        int classes = config.optionalObject("id2label")
                .map(labels -> labels.keys().size())
                .orElse(config.optionalInt("num_labels", 2));
        return new BertConfig(
                architecture,
                config.requiredInt("num_hidden_layers"),
                width,
                config.requiredInt("intermediate_size"),
                config.requiredInt("num_attention_heads"),
                config.requiredInt("vocab_size"),
                config.optionalInt("max_position_embeddings", 512),
                member.firstPosition(config),
                config.optionalInt("type_vocab_size", 2),
                config.optionalDouble("layer_norm_eps", 1e-12),
                activation(config.optionalString("hidden_act", "gelu")),
                member.body(),
                member.pools(),
                architecture.endsWith("Model") ? null : member.head(classes, width));
    }

    /** Whether the file has values for the head. */
    boolean classifies() {
        return architecture.endsWith("ForSequenceClassification");
    }

    /** The most tokens of a row. */
    int positions() {
        return positionRows - firstPosition;
    }

    /** What the body's parameter names begin with: in the bare model, with nothing. */
    String prefix() {
        return head == null ? "" : body + ".";
    }

    private static String architecture(ConfigReader config, Member member) {
        String architecture = config.strings("architectures").stream()
                .findFirst()
                .orElseThrow(() -> config.error("architectures", "the name of a model class", "add it to config.json"));
        List<String> known =
                new ArrayList<>(List.of(member.classes() + "Model", member.classes() + "ForSequenceClassification"));
        if (member.opensMaskedLanguageModel()) {
            known.add(member.classes() + "ForMaskedLM");
        }
        if (!known.contains(architecture)) {
            throw new InvalidConfigException("architecture " + architecture
                    + " of config.json is not implemented; of this model_type there are " + known);
        }
        return architecture;
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
        if (config.has("quantization_config")) {
            throw new InvalidConfigException(
                    "config.json has a quantization_config, which is not implemented; use the unquantised model");
        }
        String positions = config.optionalString("position_embedding_type", "absolute");
        if (!positions.equals("absolute")) {
            throw new InvalidConfigException("position_embedding_type \"" + positions
                    + "\" of config.json is not implemented; only absolute is");
        }
        if (config.optionalBoolean("is_decoder", false) || config.optionalBoolean("add_cross_attention", false)) {
            throw new InvalidConfigException(
                    "config.json makes a decoder of an encoder (is_decoder or add_cross_attention), which is not implemented");
        }
    }
}
