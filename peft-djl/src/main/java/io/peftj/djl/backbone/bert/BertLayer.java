package io.peftj.djl.backbone.bert;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.run.Run;
import io.peftj.core.site.Sublayer;
import io.peftj.core.tensor.Activation;
import io.peftj.core.tensor.Tensor;
import io.peftj.djl.backbone.FusedLinear;
import io.peftj.djl.backbone.LayerNorm;
import io.peftj.djl.backbone.Linear;
import io.peftj.djl.backbone.Weights;
import java.util.List;

/** One layer: attention and a feed-forward network, each added to its input and normed after. */
record BertLayer(
        int number,
        FusedLinear queryKeyValue,
        Linear attentionOutput,
        LayerNorm attentionNorm,
        Linear intermediate,
        Linear output,
        LayerNorm outputNorm,
        int heads,
        Activation activation) {
    static BertLayer load(int number, BertConfig config, BackboneSpec spec, Weights weights) {
        String name = config.prefix() + "encoder.layer." + number;
        return new BertLayer(
                number,
                FusedLinear.load(
                        weights,
                        spec.site(name + ".attention.self.query"),
                        spec.site(name + ".attention.self.key"),
                        spec.site(name + ".attention.self.value")),
                Linear.load(spec.site(name + ".attention.output.dense"), weights),
                LayerNorm.load(name + ".attention.output.LayerNorm", config.width(), config.eps(), weights),
                Linear.load(spec.site(name + ".intermediate.dense"), weights),
                Linear.load(spec.site(name + ".output.dense"), weights),
                LayerNorm.load(name + ".output.LayerNorm", config.width(), config.eps(), weights),
                config.heads(),
                config.activation());
    }

    /** h [tokens, width] → [tokens, width]. */
    Tensor forward(Run run, Tensor h) {
        run.layerInput(number, h);
        Tensor mixed = run.sublayer(number, Sublayer.ATTENTION, h, attention(run, h));
        Tensor attended = attentionNorm.apply(run, mixed.plus(h));
        Tensor fed = run.sublayer(number, Sublayer.FEED_FORWARD, attended, feedForward(run, attended));
        return run.layerOutput(number, outputNorm.apply(run, fed.plus(attended)));
    }

    private Tensor feedForward(Run run, Tensor x) {
        return output.apply(run, intermediate.apply(run, x).activation(activation));
    }

    private Tensor attention(Run run, Tensor h) {
        List<Tensor> parts = queryKeyValue.apply(run, h);
        Tensor q = heads(parts.get(0));
        Tensor k = heads(parts.get(1));
        Tensor v = heads(parts.get(2));
        return attentionOutput.apply(
                run,
                run.attention(number, q, k, v, false, 1 / Math.sqrt(q.shape().dim(2))));
    }

    /** [tokens, width] → [tokens, heads, head dim]. */
    private Tensor heads(Tensor x) {
        return x.reshape(x.shape().dim(0), heads, x.shape().dim(1) / heads);
    }
}
