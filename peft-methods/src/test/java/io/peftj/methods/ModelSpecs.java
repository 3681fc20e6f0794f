package io.peftj.methods;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.adapter.Pooling;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.Shape;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/** Specs of models by their config.json, for tests of plans; the weights are never looked at. */
public final class ModelSpecs {
    private final ConfigReader config;
    private final int width;
    private final List<Site> sites = new ArrayList<>();
    private final Map<String, Shape> parameters = new LinkedHashMap<>();

    private ModelSpecs(ConfigReader config) {
        this.config = config;
        this.width = config.requiredInt(config.has("n_embd") ? "n_embd" : "hidden_size");
    }

    /** The model of a Hugging Face directory: LLaMA, Mistral, Qwen2, Qwen3, GPT-2, BERT or RoBERTa, with an output embedding or a classification head. */
    public static BackboneSpec of(Path folder) {
        return of(ConfigReader.read(folder.resolve("config.json")));
    }

    /** The model of a configuration. */
    static BackboneSpec of(ConfigReader config) {
        ModelSpecs specs = new ModelSpecs(config);
        String architecture = specs.config.strings("architectures").get(0);
        if (architecture.startsWith("GPT2")) {
            return specs.gpt2(architecture);
        }
        if (architecture.startsWith("Bert")) {
            return specs.bert(architecture, "bert");
        }
        return architecture.startsWith("Roberta") ? specs.bert(architecture, "roberta") : specs.llama(architecture);
    }

    private BackboneSpec llama(String architecture) {
        int heads = config.requiredInt("num_attention_heads");
        int keyValueHeads = config.requiredInt("num_key_value_heads");
        int headDim = config.optionalInt("head_dim", width / heads);
        int inner = config.requiredInt("intermediate_size");
        int vocabulary = config.requiredInt("vocab_size");
        boolean tied = config.optionalBoolean("tie_word_embeddings", false);
        boolean biased = architecture.startsWith("Qwen2");
        add("model.embed_tokens", Role.EMBEDDING, -1, width, vocabulary, false);
        for (int l = 0; l < config.requiredInt("num_hidden_layers"); l++) {
            String layer = "model.layers." + l + ".";
            add(layer + "self_attn.q_proj", Role.QUERY, l, width, heads * headDim, biased);
            add(layer + "self_attn.k_proj", Role.KEY, l, width, keyValueHeads * headDim, biased);
            add(layer + "self_attn.v_proj", Role.VALUE, l, width, keyValueHeads * headDim, biased);
            add(layer + "self_attn.o_proj", Role.ATTENTION_OUTPUT, l, heads * headDim, width, false);
            if (architecture.startsWith("Qwen3")) {
                vector(layer + "self_attn.q_norm.weight", headDim);
                vector(layer + "self_attn.k_norm.weight", headDim);
            }
            add(layer + "mlp.gate_proj", Role.GATE, l, width, inner, false);
            add(layer + "mlp.up_proj", Role.UP, l, width, inner, false);
            add(layer + "mlp.down_proj", Role.DOWN, l, inner, width, false);
            vector(layer + "input_layernorm.weight", width);
            vector(layer + "post_attention_layernorm.weight", width);
        }
        vector("model.norm.weight", width);
        HeadSpec head = head(architecture, classes -> new HeadSpec("score", classes, width, false, Pooling.LAST));
        if (head == null) {
            add("lm_head", Role.OUTPUT_EMBEDDING, -1, width, vocabulary, false);
            if (tied) {
                parameters.remove("lm_head.weight");
            }
        }
        return spec(architecture, "llama", keyValueHeads, headDim, true, tied && head == null, head);
    }

    private BackboneSpec gpt2(String architecture) {
        int layers = config.requiredInt("n_layer");
        int heads = config.requiredInt("n_head");
        int vocabulary = config.requiredInt("vocab_size");
        int positions = config.requiredInt("n_positions");
        add("transformer.wte", Role.EMBEDDING, -1, width, vocabulary, false);
        parameters.put("transformer.wpe.weight", Shape.of(positions, width));
        for (int l = 0; l < layers; l++) {
            String layer = "transformer.h." + l + ".";
            norm(layer + "ln_1");
            add(new Site(layer + "attn.c_attn", Role.QUERY_KEY_VALUE, l, width, 3 * width, true, true));
            add(new Site(layer + "attn.c_proj", Role.ATTENTION_OUTPUT, l, width, width, true, true));
            norm(layer + "ln_2");
            add(new Site(layer + "mlp.c_fc", Role.UP, l, width, 4 * width, true, true));
            add(new Site(layer + "mlp.c_proj", Role.DOWN, l, 4 * width, width, true, true));
        }
        norm("transformer.ln_f");
        sites.add(new Site("lm_head", Role.OUTPUT_EMBEDDING, -1, width, vocabulary, false));
        return new BackboneSpec(
                architecture,
                "gpt2",
                layers,
                width,
                vocabulary,
                heads,
                heads,
                width / heads,
                positions,
                true,
                true,
                sites,
                parameters,
                null);
    }

    private BackboneSpec bert(String architecture, String family) {
        int heads = config.requiredInt("num_attention_heads");
        int inner = config.requiredInt("intermediate_size");
        boolean pools = family.equals("bert");
        String body = architecture.endsWith("Model") ? "" : family + ".";
        add(body + "embeddings.word_embeddings", Role.EMBEDDING, -1, width, config.requiredInt("vocab_size"), false);
        parameters.put(
                body + "embeddings.position_embeddings.weight",
                Shape.of(config.requiredInt("max_position_embeddings"), width));
        parameters.put(
                body + "embeddings.token_type_embeddings.weight",
                Shape.of(config.requiredInt("type_vocab_size"), width));
        norm(body + "embeddings.LayerNorm");
        for (int l = 0; l < config.requiredInt("num_hidden_layers"); l++) {
            String layer = body + "encoder.layer." + l + ".";
            add(layer + "attention.self.query", Role.QUERY, l, width, width, true);
            add(layer + "attention.self.key", Role.KEY, l, width, width, true);
            add(layer + "attention.self.value", Role.VALUE, l, width, width, true);
            add(layer + "attention.output.dense", Role.ATTENTION_OUTPUT, l, width, width, true);
            norm(layer + "attention.output.LayerNorm");
            add(layer + "intermediate.dense", Role.UP, l, width, inner, true);
            add(layer + "output.dense", Role.DOWN, l, inner, width, true);
            norm(layer + "output.LayerNorm");
        }
        if (pools) {
            add(body + "pooler.dense", Role.POOLER, -1, width, width, true);
        }
        HeadSpec head =
                head(architecture, classes -> new HeadSpec("classifier", classes, width, true, Pooling.FIRST, !pools));
        return spec(architecture, family, heads, width / heads, false, false, head);
    }

    private @Nullable HeadSpec head(String architecture, IntFunction<HeadSpec> ofClasses) {
        if (!architecture.endsWith("ForSequenceClassification")) {
            return null;
        }
        HeadSpec head = ofClasses.apply(config.requiredObject("id2label").keys().size());
        head.layers().forEach(this::add);
        return head;
    }

    private BackboneSpec spec(
            String architecture,
            String family,
            int keyValueHeads,
            int headDim,
            boolean decoder,
            boolean tied,
            @Nullable HeadSpec head) {
        return new BackboneSpec(
                architecture,
                family,
                config.requiredInt("num_hidden_layers"),
                width,
                config.requiredInt("vocab_size"),
                config.requiredInt("num_attention_heads"),
                keyValueHeads,
                headDim,
                config.requiredInt("max_position_embeddings"),
                decoder,
                tied,
                sites,
                parameters,
                head);
    }

    private void add(String name, Role role, int layer, int in, int out, boolean bias) {
        add(new Site(name, role, layer, in, out, bias));
    }

    private void add(Site site) {
        sites.add(site);
        parameters.put(site.weightName(), Shape.of(site.out(), site.in()));
        if (site.bias()) {
            vector(site.biasName(), site.out());
        }
    }

    private void norm(String name) {
        vector(name + ".weight", width);
        vector(name + ".bias", width);
    }

    private void vector(String name, int size) {
        parameters.put(name, Shape.of(size));
    }
}
