package io.peftj.djl.backbone.gpt2;

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

/** GPT-2: as a language model, as a classifier and bare. */
public final class Gpt2Family implements BackboneFamily {
    @Override
    public Set<String> modelTypes() {
        return Set.of("gpt2");
    }

    @Override
    public BackboneSpec spec(ConfigReader reader) {
        Gpt2Config config = Gpt2Config.read(reader);
        int width = config.width();
        String prefix = config.prefix();
        SpecBuilder model = new SpecBuilder()
                .embedding(prefix + "wte", config.vocabulary(), width)
                .parameter(prefix + "wpe.weight", config.positions(), width);
        for (int l = 0; l < config.layers(); l++) {
            addLayer(model, config, l);
        }
        addNorm(model, prefix + "ln_f", width);
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
                "gpt2",
                config.layers(),
                width,
                config.vocabulary(),
                config.heads(),
                config.heads(),
                width / config.heads(),
                config.positions(),
                true,
                config.tied(),
                model.sites(),
                model.parameters(),
                head);
    }

    @Override
    public Transformer load(ConfigReader config, BackboneSpec spec, Weights weights) {
        return new Gpt2(Gpt2Config.read(config), spec, weights);
    }

    private static void addLayer(SpecBuilder model, Gpt2Config config, int l) {
        String name = config.prefix() + "h." + l;
        int width = config.width();
        addNorm(model, name + ".ln_1", width);
        model.conv1d(name + ".attn.c_attn", Role.QUERY_KEY_VALUE, l, width, 3 * width)
                .conv1d(name + ".attn.c_proj", Role.ATTENTION_OUTPUT, l, width, width);
        addNorm(model, name + ".ln_2", width);
        model.conv1d(name + ".mlp.c_fc", Role.UP, l, width, config.feedForward())
                .conv1d(name + ".mlp.c_proj", Role.DOWN, l, config.feedForward(), width);
    }

    private static void addNorm(SpecBuilder model, String name, int width) {
        model.parameter(name + ".weight", width).parameter(name + ".bias", width);
    }
}
