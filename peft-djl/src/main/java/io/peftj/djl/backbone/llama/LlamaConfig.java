package io.peftj.djl.backbone.llama;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.tensor.Activation;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** The keys of a LLaMA-family config.json, of transformers 4 and 5, that decide what is computed; what is not implemented is refused by name. */
record LlamaConfig(
        String architecture,
        int layers,
        int width,
        int feedForward,
        int heads,
        int keyValueHeads,
        int headDim,
        int vocabulary,
        int positions,
        double eps,
        Activation activation,
        boolean projectionBias,
        boolean outputBias,
        boolean feedForwardBias,
        boolean headNorms,
        boolean tied,
        int classes,
        Rope rope) {
    static LlamaConfig read(ConfigReader config) {
        Member member = Objects.requireNonNull(LlamaFamily.MEMBERS.get(config.requiredString("model_type")));
        refuseUnimplemented(config);
        int width = config.requiredInt("hidden_size");
        int heads = config.requiredInt("num_attention_heads");
        int headDim = config.optionalInt("head_dim", member.headDim(width, heads));
        int positions = config.optionalInt("max_position_embeddings", 2048);
        return new LlamaConfig(
                architecture(config, member),
                config.requiredInt("num_hidden_layers"),
                width,
                config.requiredInt("intermediate_size"),
                heads,
                config.optionalInt("num_key_value_heads", heads),
                headDim,
                config.requiredInt("vocab_size"),
                // Attention over all keys equals a sliding window as long as no row is longer than the window.
                Math.min(positions, member.window(config)),
                config.optionalDouble("rms_norm_eps", 1e-6),
                activation(config),
                member.projectionBias(config),
                member.outputBias(config),
                member.feedForwardBias(config),
                member.headNorms(),
                config.optionalBoolean("tie_word_embeddings", false),
                classes(config),
                Rope.read(config, headDim));
    }

    boolean classifies() {
        return architecture.endsWith("ForSequenceClassification");
    }

    /** Whether it makes next-token logits; the bare model ends with hidden states. */
    boolean generates() {
        return architecture.endsWith("ForCausalLM");
    }

    /** What the body's parameter names begin with. */
    String prefix() {
        return classifies() || generates() ? "model." : "";
    }

    private static String architecture(ConfigReader config, Member member) {
        String architecture = config.strings("architectures").stream()
                .findFirst()
                .orElseThrow(() -> config.error("architectures", "the name of a model class", "add it to config.json"));
        List<String> known = Stream.of("ForCausalLM", "ForSequenceClassification", "Model")
                .map(kind -> member.classes() + kind)
                .toList();
        if (!known.contains(architecture)) {
            throw new InvalidConfigException("architecture " + architecture
                    + " of config.json is not implemented; of this model_type there are " + known);
        }
        return architecture;
    }

    private static Activation activation(ConfigReader config) {
        String name = config.optionalString("hidden_act", "silu");
        return switch (name) {
            case "silu", "swish" -> Activation.SILU;
            case "gelu" -> Activation.GELU;
            case "gelu_pytorch_tanh", "gelu_new" -> Activation.GELU_TANH;
            default ->
                throw new InvalidConfigException("hidden_act \"" + name
                        + "\" of config.json is not implemented; known are silu, gelu, gelu_pytorch_tanh and gelu_new");
        };
    }

    private static int classes(ConfigReader config) {
        return config.optionalObject("id2label")
                .map(labels -> labels.keys().size())
                .orElse(config.optionalInt("num_labels", 2));
    }

    private static void refuseUnimplemented(ConfigReader config) {
        if (config.has("quantization_config")) {
            throw new InvalidConfigException(
                    "config.json has a quantization_config, which is not implemented; use the unquantised model");
        }
        if (config.optionalDouble("partial_rotary_factor", 1) != 1) {
            throw new InvalidConfigException("config.json has partial_rotary_factor "
                    + config.optionalDouble("partial_rotary_factor", 1) + "; only 1 is implemented");
        }
    }
}
