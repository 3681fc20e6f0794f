package io.peftj.djl.backbone.bert;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.site.Role;
import io.peftj.djl.backbone.BackboneFamily;
import io.peftj.djl.backbone.SpecBuilder;
import io.peftj.djl.backbone.Transformer;
import io.peftj.djl.backbone.Weights;
import java.util.Map;
import java.util.Set;

/** BERT, RoBERTa and XLM-RoBERTa, bare or with a classification head. */
public final class BertFamily implements BackboneFamily {
    /** By model_type. */
    static final Map<String, Member> MEMBERS =
            Map.of("bert", () -> "Bert", "roberta", new Roberta("Roberta"), "xlm-roberta", new Roberta("XLMRoberta"));

    @Override
    public Set<String> modelTypes() {
        return MEMBERS.keySet();
    }

    @Override
    public BackboneSpec spec(ConfigReader reader) {
        BertConfig config = BertConfig.read(reader);
        int width = config.width();
        String prefix = config.prefix();
        SpecBuilder model = new SpecBuilder()
                .embedding(prefix + "embeddings.word_embeddings", config.vocabulary(), width)
                .parameter(prefix + "embeddings.position_embeddings.weight", config.positionRows(), width)
                .parameter(prefix + "embeddings.token_type_embeddings.weight", config.types(), width);
        addNorm(model, prefix + "embeddings.LayerNorm", width);
        for (int l = 0; l < config.layers(); l++) {
            addLayer(model, config, l);
        }
        HeadSpec head = config.head();
        if (head != null && config.pools()) {
            model.linear(prefix + "pooler.dense", Role.POOLER, -1, width, width, true);
        }
        if (head != null && config.classifies()) {
            model.head(head);
        }
        return new BackboneSpec(
                config.architecture(),
                config.body(),
                config.layers(),
                width,
                config.vocabulary(),
                config.heads(),
                config.heads(),
                width / config.heads(),
                config.positions(),
                false,
                false,
                model.sites(),
                model.parameters(),
                head);
    }

    @Override
    public Transformer load(ConfigReader config, BackboneSpec spec, Weights weights) {
        return new Bert(BertConfig.read(config), spec, weights);
    }

    private static void addLayer(SpecBuilder model, BertConfig config, int l) {
        String name = config.prefix() + "encoder.layer." + l;
        int width = config.width();
        model.linear(name + ".attention.self.query", Role.QUERY, l, width, width, true)
                .linear(name + ".attention.self.key", Role.KEY, l, width, width, true)
                .linear(name + ".attention.self.value", Role.VALUE, l, width, width, true)
                .linear(name + ".attention.output.dense", Role.ATTENTION_OUTPUT, l, width, width, true);
        addNorm(model, name + ".attention.output.LayerNorm", width);
        model.linear(name + ".intermediate.dense", Role.UP, l, width, config.feedForward(), true)
                .linear(name + ".output.dense", Role.DOWN, l, config.feedForward(), width, true);
        addNorm(model, name + ".output.LayerNorm", width);
    }

    private static void addNorm(SpecBuilder model, String name, int width) {
        model.parameter(name + ".weight", width).parameter(name + ".bias", width);
    }
}
