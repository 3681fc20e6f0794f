package io.peftj.djl.contract;

import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.DType;

/** Two layers of width 16 with four heads, 24 tokens, 32 positions, random weights. */
final class TinyBackbones {
    private static final String SIZES = """
            "num_hidden_layers": 2, "hidden_size": 16, "num_attention_heads": 4, "intermediate_size": 24,
            "vocab_size": 24, "max_position_embeddings": 32, "id2label": {"0": "a", "1": "b", "2": "c"}""";

    private TinyBackbones() {}

    /** A language model with grouped queries and an output embedding of its own. */
    static BackboneModel llama(Backend backend, DType dtype) {
        return BackboneModel.open("LLaMA", llama(false), backend, dtype);
    }

    /** A language model whose output embedding is its token embedding. */
    static BackboneModel tiedLlama(Backend backend, DType dtype) {
        return BackboneModel.open("tied LLaMA", llama(true), backend, dtype);
    }

    /** A classifier with biases everywhere. */
    static BackboneModel bert(Backend backend, DType dtype) {
        String config =
                "{\"model_type\": \"bert\", \"architectures\": [\"BertForSequenceClassification\"], " + SIZES + "}";
        return BackboneModel.open("BERT", config, backend, dtype);
    }

    private static String llama(boolean tied) {
        return "{\"model_type\": \"llama\", \"architectures\": [\"LlamaForCausalLM\"], \"num_key_value_heads\": 2,"
                + " \"tie_word_embeddings\": " + tied + ", " + SIZES + "}";
    }
}
