package io.peftj.djl.backbone.bert;

import io.peftj.core.PeftException;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.run.Batch;
import io.peftj.core.run.Run;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.Activation;
import io.peftj.core.tensor.Index;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import io.peftj.djl.backbone.LayerNorm;
import io.peftj.djl.backbone.Linear;
import io.peftj.djl.backbone.Transformer;
import io.peftj.djl.backbone.Weights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An encoder of the BERT family (arXiv 1810.04805). */
final class Bert implements Transformer {
    private final Site words;
    private final Weight wordEmbeddings;
    private final Weight positionEmbeddings;
    private final Weight typeEmbeddings;
    private final String embeddings;
    private final int firstPosition;
    private final LayerNorm embeddingNorm;
    private final List<BertLayer> layers;
    private final @Nullable Linear pooler;

    Bert(BertConfig config, BackboneSpec spec, Weights weights) {
        this.embeddings = config.prefix() + "embeddings.";
        this.firstPosition = config.firstPosition();
        this.words = spec.sites(Role.EMBEDDING).get(0);
        this.wordEmbeddings = weights.table(words);
        this.positionEmbeddings =
                weights.table(embeddings + "position_embeddings.weight", config.positionRows(), config.width());
        this.typeEmbeddings =
                weights.table(embeddings + "token_type_embeddings.weight", config.types(), config.width());
        this.embeddingNorm = LayerNorm.load(embeddings + "LayerNorm", config.width(), config.eps(), weights);
        this.layers = new ArrayList<>();
        for (int l = 0; l < config.layers(); l++) {
            layers.add(BertLayer.load(l, config, spec, weights));
        }
        this.pooler = spec.sites(Role.POOLER).stream()
                .findFirst()
                .map(site -> Linear.load(site, weights))
                .orElse(null);
    }

    @Override
    public Tensor hiddenStates(Run run) {
        Tensor h = embeddingNorm.apply(run, embeddings(run));
        for (BertLayer layer : layers) {
            h = run.layer(h, x -> layer.forward(run, x));
        }
        return h;
    }

    @Override
    public @Nullable Weight outputEmbedding() {
        return null;
    }

    @Override
    public Tensor headInput(Run run, Tensor pooled) {
        return pooler == null
                ? pooled
                : pooler.apply(run, pooled, run.batch().rowPlaces()).activation(Activation.TANH);
    }

    private Tensor embeddings(Run run) {
        Batch batch = run.batch();
        Tensor word = run.embedding(words, batch.ids(), wordEmbeddings, batch.tokens());
        Tensor type = run.rows(embeddings + "token_type_embeddings.weight", types(run), typeEmbeddings, batch.tokens());
        Tensor position =
                run.rows(embeddings + "position_embeddings.weight", positions(run), positionEmbeddings, batch.tokens());
        return word.plus(type).plus(position);
    }

    private Index positions(Run run) {
        Index positions = run.batch().positions();
        return firstPosition == 0
                ? positions
                : run.session()
                        .index(Arrays.stream(positions.values())
                                .map(position -> position + firstPosition)
                                .toArray());
    }

    private Index types(Run run) {
        Index types = run.batch().types();
        if (types == null) {
            return run.session().index(new long[run.batch().tokens().size()]);
        }
        int known = typeEmbeddings.outFeatures();
        for (long type : types.values()) {
            if (type < 0 || type >= known) {
                throw new PeftException("a token has the type " + type + ", but the model has "
                        + (known == 1 ? "type 0 alone" : "types 0 to " + (known - 1)) + "; leave the types out");
            }
        }
        return types;
    }
}
