package io.peftj.methods;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.io.Json;

/** Specs of models of width 8, 4 heads of 2, 2 key and value heads where there are fewer, feed-forward width 12, 16 tokens. */
public final class TinyModels {
    private static final String SIZES = "\"hidden_size\": 8, \"num_attention_heads\": 4, \"intermediate_size\": 12,"
            + " \"vocab_size\": 16, \"max_position_embeddings\": 32, \"id2label\": {\"0\": \"no\", \"1\": \"yes\"}";

    private TinyModels() {}

    /** A LLaMA that generates. */
    public static BackboneSpec llama(int layers) {
        return decoder("LlamaForCausalLM", layers);
    }

    /** The same with one matrix for token and output embedding. */
    public static BackboneSpec tiedLlama(int layers) {
        return decoder("LlamaForCausalLM", layers, true);
    }

    /** A model of LLaMA's make. */
    public static BackboneSpec decoder(String architecture, int layers) {
        return decoder(architecture, layers, false);
    }

    private static BackboneSpec decoder(String architecture, int layers, boolean tied) {
        return spec("{\"architectures\": [\"" + architecture + "\"], \"tie_word_embeddings\": " + tied
                + ", \"num_key_value_heads\": 2, \"num_hidden_layers\": " + layers + ", " + SIZES + "}");
    }

    /** A BERT of one layer that tells two classes apart. */
    public static BackboneSpec bert() {
        return spec("{\"architectures\": [\"BertForSequenceClassification\"], \"num_hidden_layers\": 1,"
                + " \"type_vocab_size\": 2, " + SIZES + "}");
    }

    private static BackboneSpec spec(String config) {
        return ModelSpecs.of(ConfigReader.of(Json.parse(config, "test"), "test"));
    }
}
