package io.peftj.djl.backbone.bert;

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

/** BERT, bare or with its pooler and classification head. */
public final class BertFamily implements BackboneFamily {
    private static final Set<String> ARCHITECTURES = Set.of("BertModel", "BertForSequenceClassification");

    @Override
    public Set<String> modelTypes() {
        return Set.of("bert");
    }

    @Override
    public BackboneSpec spec(ConfigReader reader) {
        BertConfig config = BertConfig.read(reader);
        if (!ARCHITECTURES.contains(config.architecture())) {
            throw new InvalidConfigException("architecture " + config.architecture()
                    + " of config.json is not implemented; of this family there are "
                    + ARCHITECTURES.stream().sorted().toList());
        }
        int width = config.width();
        String prefix = config.prefix();
        SpecBuilder model = new SpecBuilder()
                .embedding(prefix + "embeddings.word_embeddings", config.vocabulary(), width)
                .parameter(prefix + "embeddings.position_embeddings.weight", config.positions(), width)
                .parameter(prefix + "embeddings.token_type_embeddings.weight", config.types(), width);
        addNorm(model, prefix + "embeddings.LayerNorm", width);
        for (int l = 0; l < config.layers(); l++) {
            addLayer(model, config, l);
        }
        HeadSpec head = null;
        if (config.classifies()) {
            model.linear("bert.pooler.dense", Role.POOLER, -1, width, width, true);
            model.linear("classifier", Role.HEAD, -1, width, config.classes(), true);
            head = new HeadSpec("classifier", config.classes(), width, true, Pooling.FIRST);
        }
        return new BackboneSpec(
                config.architecture(),
                "bert",
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
