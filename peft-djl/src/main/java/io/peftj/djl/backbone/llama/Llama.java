package io.peftj.djl.backbone.llama;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.run.Run;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import io.peftj.djl.backbone.FusedLinear;
import io.peftj.djl.backbone.Linear;
import io.peftj.djl.backbone.Transformer;
import io.peftj.djl.backbone.Weights;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A decoder of the LLaMA family (LLaMA 1 to 3, Mistral, Qwen2, Qwen3). */
final class Llama implements Transformer {
    private final Site embedding;
    private final Weight embeddings;
    private final List<LlamaLayer> layers;
    private final Constant norm;
    private final @Nullable Weight outputEmbedding;
    private final LlamaConfig config;

    Llama(LlamaConfig config, BackboneSpec spec, Weights weights) {
        this.config = config;
        this.embedding = spec.sites(Role.EMBEDDING).get(0);
        this.embeddings = config.tied() ? weights.matrix(embedding) : weights.table(embedding);
        this.layers = new ArrayList<>();
        for (int l = 0; l < config.layers(); l++) {
            layers.add(layer(l, spec, weights));
        }
        this.norm = weights.vector(config.prefix() + "norm.weight", config.width());
        this.outputEmbedding = spec.sites(Role.OUTPUT_EMBEDDING).stream()
                .findFirst()
                .map(site -> config.tied() && !weights.replaces(site.weightName()) ? embeddings : weights.matrix(site))
                .orElse(null);
    }

    @Override
    public Tensor hiddenStates(Run run) {
        Session session = run.session();
        Rope.Angles angles = config.rope().at(session, run.batch().positions(), embeddings.dtype());
        Tensor h = run.embedding(
                embedding, run.batch().ids(), embeddings, run.batch().tokens());
        for (LlamaLayer layer : layers) {
            h = run.layer(h, x -> layer.forward(run, x, angles));
        }
        return run.rmsNorm(
                config.prefix() + "norm",
                h,
                session.tensor(norm),
                config.eps(),
                run.batch().tokens());
    }

    @Override
    public @Nullable Weight outputEmbedding() {
        return outputEmbedding;
    }

    private LlamaLayer layer(int l, BackboneSpec spec, Weights weights) {
        String name = config.prefix() + "layers." + l;
        return new LlamaLayer(
                l,
                name,
                weights.vector(name + ".input_layernorm.weight", config.width()),
                FusedLinear.load(
                        weights,
                        spec.site(name + ".self_attn.q_proj"),
                        spec.site(name + ".self_attn.k_proj"),
                        spec.site(name + ".self_attn.v_proj")),
                headNorm(name + ".self_attn.q_norm.weight", weights),
                headNorm(name + ".self_attn.k_norm.weight", weights),
                Linear.load(spec.site(name + ".self_attn.o_proj"), weights),
                weights.vector(name + ".post_attention_layernorm.weight", config.width()),
                FusedLinear.load(weights, spec.site(name + ".mlp.gate_proj"), spec.site(name + ".mlp.up_proj")),
                Linear.load(spec.site(name + ".mlp.down_proj"), weights),
                config.headDim(),
                config.eps(),
                config.activation());
    }

    private @Nullable Constant headNorm(String name, Weights weights) {
        return config.headNorms() ? weights.vector(name, config.headDim()) : null;
    }
}
