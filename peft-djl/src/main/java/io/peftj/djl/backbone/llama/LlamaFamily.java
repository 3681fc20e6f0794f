package io.peftj.djl.backbone.llama;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.adapter.Pooling;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.site.Role;
import io.peftj.djl.backbone.BackboneFamily;
import io.peftj.djl.backbone.SpecBuilder;
import io.peftj.djl.backbone.Transformer;
import io.peftj.djl.backbone.Weights;
import java.util.Map;
import java.util.Set;

/** LLaMA 1 to 3, Mistral, Qwen2 and Qwen3: as language models, as classifiers and bare. */
public final class LlamaFamily implements BackboneFamily {
    /** By model_type. */
    static final Map<String, Member> MEMBERS =
            Map.of("llama", () -> "Llama", "mistral", new Mistral(), "qwen2", new Qwen2(), "qwen3", new Qwen3());

    @Override
    public Set<String> modelTypes() {
        return MEMBERS.keySet();
    }

    @Override
    public BackboneSpec spec(ConfigReader reader) {
        LlamaConfig config = LlamaConfig.read(reader);
        int width = config.width();
        String prefix = config.prefix();
        SpecBuilder model = new SpecBuilder().embedding(prefix + "embed_tokens", config.vocabulary(), width);
        for (int l = 0; l < config.layers(); l++) {
            addLayer(model, config, l);
        }
        model.parameter(prefix + "norm.weight", width);
        HeadSpec head = null;
        if (config.classifies()) {
            head = new HeadSpec("score", config.classes(), width, false, Pooling.LAST);
            model.head(head);
        } else if (config.generates() && config.tied()) {
            model.tiedOutput("lm_head", width, config.vocabulary());
        } else if (config.generates()) {
            model.linear("lm_head", Role.OUTPUT_EMBEDDING, -1, width, config.vocabulary(), false);
        }
        return new BackboneSpec(
                config.architecture(),
                "llama",
                config.layers(),
                width,
                config.vocabulary(),
                config.heads(),
                config.keyValueHeads(),
                config.headDim(),
                config.positions(),
                true,
                config.tied(),
                model.sites(),
                model.parameters(),
                head);
    }

    @Override
    public Transformer load(ConfigReader config, BackboneSpec spec, Weights weights) {
        return new Llama(LlamaConfig.read(config), spec, weights);
    }

    private static void addLayer(SpecBuilder model, LlamaConfig config, int l) {
        String name = config.prefix() + "layers." + l;
        int width = config.width();
        int queries = config.heads() * config.headDim();
        int keys = config.keyValueHeads() * config.headDim();
        boolean bias = config.projectionBias();
        boolean ffBias = config.feedForwardBias();
        model.linear(name + ".self_attn.q_proj", Role.QUERY, l, width, queries, bias)
                .linear(name + ".self_attn.k_proj", Role.KEY, l, width, keys, bias)
                .linear(name + ".self_attn.v_proj", Role.VALUE, l, width, keys, bias)
                .linear(name + ".self_attn.o_proj", Role.ATTENTION_OUTPUT, l, queries, width, config.outputBias())
                .linear(name + ".mlp.gate_proj", Role.GATE, l, width, config.feedForward(), ffBias)
                .linear(name + ".mlp.up_proj", Role.UP, l, width, config.feedForward(), ffBias)
                .linear(name + ".mlp.down_proj", Role.DOWN, l, config.feedForward(), width, ffBias)
                .parameter(name + ".input_layernorm.weight", width)
                .parameter(name + ".post_attention_layernorm.weight", width);
        if (config.headNorms()) {
            model.parameter(name + ".self_attn.q_norm.weight", config.headDim())
                    .parameter(name + ".self_attn.k_norm.weight", config.headDim());
        }
    }
}
