package io.peftj.djl.backbone.gpt2;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.run.Run;
import io.peftj.core.site.Sublayer;
import io.peftj.core.tensor.Activation;
import io.peftj.core.tensor.Tensor;
import io.peftj.djl.backbone.LayerNorm;
import io.peftj.djl.backbone.Linear;
import io.peftj.djl.backbone.Weights;
import java.util.List;

/** One layer: attention and a feed-forward network, each behind a layer norm and added to the residual stream. */
record Gpt2Layer(
        int number,
        LayerNorm attentionNorm,
        Linear queryKeyValue,
        Linear attentionOutput,
        LayerNorm feedForwardNorm,
        Linear up,
        Linear down,
        int heads,
        double attentionScale,
        Activation activation) {
    static Gpt2Layer load(int number, Gpt2Config config, BackboneSpec spec, Weights weights) {
        String name = config.prefix() + "h." + number;
        return new Gpt2Layer(
                number,
                LayerNorm.load(name + ".ln_1", config.width(), config.eps(), weights),
                Linear.load(spec.site(name + ".attn.c_attn"), weights),
                Linear.load(spec.site(name + ".attn.c_proj"), weights),
                LayerNorm.load(name + ".ln_2", config.width(), config.eps(), weights),
                Linear.load(spec.site(name + ".mlp.c_fc"), weights),
                Linear.load(spec.site(name + ".mlp.c_proj"), weights),
                config.heads(),
                config.attentionScale(number),
                config.activation());
    }

    /** h [tokens, width] → [tokens, width]. */
    Tensor forward(Run run, Tensor h) {
        run.layerInput(number, h);
        Tensor x = attentionNorm.apply(run, h);
        Tensor attended = h.plus(run.sublayer(number, Sublayer.ATTENTION, x, attention(run, x)));
        Tensor y = feedForwardNorm.apply(run, attended);
        Tensor output = attended.plus(run.sublayer(number, Sublayer.FEED_FORWARD, y, feedForward(run, y)));
        return run.layerOutput(number, output);
    }

    private Tensor attention(Run run, Tensor x) {
        int width = x.shape().dim(1);
        List<Tensor> parts = queryKeyValue.apply(run, x).split(1, width, width, width);
        Tensor q = heads(parts.get(0));
        Tensor k = heads(parts.get(1));
        Tensor v = heads(parts.get(2));
        return attentionOutput.apply(run, run.attention(number, q, k, v, true, attentionScale));
    }

    private Tensor feedForward(Run run, Tensor x) {
        return down.apply(run, up.apply(run, x).activation(activation));
    }

    /** [tokens, width] → [tokens, heads, head dim]. */
    private Tensor heads(Tensor x) {
        return x.reshape(x.shape().dim(0), heads, x.shape().dim(1) / heads);
    }
}
