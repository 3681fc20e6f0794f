package io.peftj.djl.contract;

import io.peftj.core.io.ConfigReader;
import io.peftj.core.io.Json;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.DType;
import io.peftj.djl.backbone.Backbones;
import io.peftj.testkit.contract.RandomTensors;

/** Two layers of width 16 with four heads, 24 tokens, 32 positions, random weights. */
final class TinyBackbones {
    private static final long SEED = 5;

    private TinyBackbones() {}

    /** A language model with grouped queries and an output embedding of its own. */
    static BackboneModel llama(Backend backend, DType dtype) {
        return open("LLaMA", llama("LlamaForCausalLM", false, 2), backend, dtype, SEED);
    }

    /** The same with other weights. */
    static BackboneModel otherLlama(Backend backend, DType dtype) {
        return open("other LLaMA", llama("LlamaForCausalLM", false, 2), backend, dtype, SEED + 1);
    }

    /** The same with one layer. */
    static BackboneModel shallowLlama(Backend backend, DType dtype) {
        return open("shallow LLaMA", llama("LlamaForCausalLM", false, 1), backend, dtype, SEED);
    }

    /** A layer of width 512 with little else. */
    static BackboneModel wideLlama(Backend backend, DType dtype) {
        String config = """
                {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "num_hidden_layers": 1, "hidden_size": 512,
                 "num_attention_heads": 4, "num_key_value_heads": 1, "intermediate_size": 8, "vocab_size": 24,
                 "max_position_embeddings": 32}""";
        return open("wide LLaMA", config, backend, dtype, SEED);
    }

    /** A language model whose output embedding is its token embedding. */
    static BackboneModel tiedLlama(Backend backend, DType dtype) {
        return open("tied LLaMA", llama("LlamaForCausalLM", true, 2), backend, dtype, SEED);
    }

    /** A decoder with a classification head. */
    static BackboneModel llamaClassifier(Backend backend, DType dtype) {
        return open("LLaMA classifier", llama("LlamaForSequenceClassification", false, 2), backend, dtype, SEED);
    }

    /** A LLaMA that says how far its attention reaches: as far as there are positions. */
    static BackboneModel mistral(Backend backend, DType dtype) {
        String config = """
                {"model_type": "mistral", "architectures": ["MistralForCausalLM"], "num_key_value_heads": 1,
                 "sliding_window": 32, %s}""".formatted(sizes(2));
        return open("Mistral", config, backend, dtype, SEED);
    }

    /** A model of the test's own. */
    static BackboneModel of(String name, String config, Backend backend, DType dtype) {
        return open(name, config, backend, dtype, SEED);
    }

    /** Queries, keys and values with biases, as Qwen2 alone has them. */
    static BackboneModel qwen2(Backend backend, DType dtype) {
        String config = """
                {"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"], "num_key_value_heads": 2, %s}""".formatted(sizes(2));
        return open("Qwen2", config, backend, dtype, SEED);
    }

    /** Heads with norms, wider than the model's width suggests, and tied embeddings. */
    static BackboneModel qwen3(Backend backend, DType dtype) {
        String config = """
                {"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"], "num_key_value_heads": 2, "head_dim": 6,
                 "tie_word_embeddings": true, %s}""".formatted(sizes(2));
        return open("Qwen3", config, backend, dtype, SEED);
    }

    /** One layer for queries, keys and values; files hold matrices as [in, out]. */
    static BackboneModel gpt2(Backend backend, DType dtype) {
        return open("GPT-2", gpt2("GPT2LMHeadModel"), backend, dtype, SEED);
    }

    /** GPT-2 with a classification head. */
    static BackboneModel gpt2Classifier(Backend backend, DType dtype) {
        return open("GPT-2 classifier", gpt2("GPT2ForSequenceClassification"), backend, dtype, SEED);
    }

    private static String gpt2(String architecture) {
        return """
                {"model_type": "gpt2", "architectures": ["%s"], "n_layer": 2, "n_embd": 16, "n_head": 4, "n_inner": 24,
                 "vocab_size": 24, "n_positions": 32, "id2label": {"0": "a", "1": "b", "2": "c"}}""".formatted(architecture);
    }

    /** A classifier with biases everywhere. */
    static BackboneModel bert(Backend backend, DType dtype) {
        return open("BERT", encoder("bert", "BertForSequenceClassification"), backend, dtype, SEED);
    }

    /** A classifier whose head has a hidden layer; positions begin at 2, so that 30 are left. */
    static BackboneModel roberta(Backend backend, DType dtype) {
        return open("RoBERTa", encoder("roberta", "RobertaForSequenceClassification"), backend, dtype, SEED);
    }

    private static String encoder(String type, String architecture) {
        return "{\"model_type\": \"" + type + "\", \"architectures\": [\"" + architecture + "\"], " + sizes(2) + "}";
    }

    private static String llama(String architecture, boolean tied, int layers) {
        return "{\"model_type\": \"llama\", \"architectures\": [\"" + architecture
                + "\"], \"num_key_value_heads\": 2, \"tie_word_embeddings\": " + tied + ", " + sizes(layers) + "}";
    }

    private static String sizes(int layers) {
        return """
                "num_hidden_layers": %d, "hidden_size": 16, "num_attention_heads": 4, "intermediate_size": 24,
                "vocab_size": 24, "max_position_embeddings": 32, "id2label": {"0": "a", "1": "b", "2": "c"}""".formatted(layers);
    }

    private static BackboneModel open(String name, String json, Backend backend, DType dtype, long seed) {
        ConfigReader config = ConfigReader.of(Json.parse(json, name), name);
        RandomTensors tensors = RandomTensors.of(Backbones.spec(config), seed);
        return new BackboneModel(name, Backbones.load(config, tensors, null, backend, dtype, () -> {}));
    }
}
