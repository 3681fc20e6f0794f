package io.peftj.djl.backbone.gpt2;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.run.Batch;
import io.peftj.core.run.Run;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import io.peftj.djl.backbone.LayerNorm;
import io.peftj.djl.backbone.Transformer;
import io.peftj.djl.backbone.Weights;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A GPT-2 decoder (Radford et al. 2019). */
final class Gpt2 implements Transformer {
    private final Site words;
    private final Weight wordEmbeddings;
    private final String positions;
    private final Weight positionEmbeddings;
    private final List<Gpt2Layer> layers;
    private final LayerNorm norm;
    private final @Nullable Weight outputEmbedding;

    Gpt2(Gpt2Config config, BackboneSpec spec, Weights weights) {
        this.words = spec.sites(Role.EMBEDDING).get(0);
        boolean multiplied = config.generates() && config.tied();
        this.wordEmbeddings = multiplied ? weights.matrix(words) : weights.table(words);
        this.positions = config.prefix() + "wpe.weight";
        this.positionEmbeddings = weights.table(positions, config.positions(), config.width());
        this.layers = new ArrayList<>();
        for (int l = 0; l < config.layers(); l++) {
            layers.add(Gpt2Layer.load(l, config, spec, weights));
        }
        this.norm = LayerNorm.load(config.prefix() + "ln_f", config.width(), config.eps(), weights);
        this.outputEmbedding = spec.sites(Role.OUTPUT_EMBEDDING).stream()
                .findFirst()
                .map(site ->
                        config.tied() && !weights.replaces(site.weightName()) ? wordEmbeddings : weights.matrix(site))
                .orElse(null);
    }

    @Override
    public Tensor hiddenStates(Run run) {
        Batch batch = run.batch();
        Tensor word = run.embedding(words, batch.ids(), wordEmbeddings, batch.tokens());
        Tensor h = word.plus(run.rows(positions, batch.positions(), positionEmbeddings, batch.tokens()));
        for (Gpt2Layer layer : layers) {
            h = run.layer(h, x -> layer.forward(run, x));
        }
        return norm.apply(run, h);
    }

    @Override
    public @Nullable Weight outputEmbedding() {
        return outputEmbedding;
    }
}
