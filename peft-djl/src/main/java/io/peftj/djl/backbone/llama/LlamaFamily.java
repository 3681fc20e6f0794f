package io.peftj.djl.backbone.llama;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.adapter.Pooling;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.site.Role;
import io.peftj.djl.backbone.BackboneFamily;
import io.peftj.djl.backbone.SpecBuilder;
import io.peftj.djl.backbone.Transformer;
import io.peftj.djl.backbone.Weights;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** LLaMA and Mistral, as language models and as classifiers. */
public final class LlamaFamily implements BackboneFamily {
    private static final Set<String> ARCHITECTURES = Set.of(
            "LlamaForCausalLM",
            "LlamaForSequenceClassification",
            "MistralForCausalLM",
            "MistralForSequenceClassification");

    @Override
    public Set<String> modelTypes() {
        return Set.of("llama", "mistral");
    }

    @Override
    public BackboneSpec spec(ConfigReader reader) {
        LlamaConfig config = LlamaConfig.read(reader);
        if (!ARCHITECTURES.contains(config.architecture())) {
            throw new InvalidConfigException("architecture " + config.architecture()
                    + " of config.json is not implemented; of this family there are "
                    + ARCHITECTURES.stream().sorted().toList());
        }
        int width = config.width();
        SpecBuilder model = new SpecBuilder().embedding("model.embed_tokens", config.vocabulary(), width);
        for (int l = 0; l < config.layers(); l++) {
            addLayer(model, config, l);
        }
        model.parameter("model.norm.weight", width);
        HeadSpec head = null;
        if (config.classifies()) {
            head = new HeadSpec("score", config.classes(), width, false, Pooling.LAST);
            model.linear("score", Role.HEAD, -1, width, config.classes(), false);
        } else if (config.tied()) {
            model.tiedOutput("lm_head", width, config.vocabulary());
        } else {
            model.linear("lm_head", Role.OUTPUT_EMBEDDING, -1, width, config.vocabulary(), false);
        }
        return spec(config, model, head);
    }

    @Override
    public Transformer load(ConfigReader config, BackboneSpec spec, Weights weights) {
        return new Llama(LlamaConfig.read(config), spec, weights);
    }

    private static void addLayer(SpecBuilder model, LlamaConfig config, int l) {
        String name = "model.layers." + l;
        int width = config.width();
        int queries = config.heads() * config.headDim();
        int keys = config.keyValueHeads() * config.headDim();
        boolean bias = config.attentionBias();
        boolean ffBias = config.feedForwardBias();
        model.linear(name + ".self_attn.q_proj", Role.QUERY, l, width, queries, bias)
                .linear(name + ".self_attn.k_proj", Role.KEY, l, width, keys, bias)
                .linear(name + ".self_attn.v_proj", Role.VALUE, l, width, keys, bias)
                .linear(name + ".self_attn.o_proj", Role.ATTENTION_OUTPUT, l, queries, width, bias)
                .linear(name + ".mlp.gate_proj", Role.GATE, l, width, config.feedForward(), ffBias)
                .linear(name + ".mlp.up_proj", Role.UP, l, width, config.feedForward(), ffBias)
                .linear(name + ".mlp.down_proj", Role.DOWN, l, config.feedForward(), width, ffBias)
                .parameter(name + ".input_layernorm.weight", width)
                .parameter(name + ".post_attention_layernorm.weight", width);
    }

    private static BackboneSpec spec(LlamaConfig config, SpecBuilder model, @Nullable HeadSpec head) {
        return new BackboneSpec(
                config.architecture(),
                "llama",
                config.layers(),
                config.width(),
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
}
