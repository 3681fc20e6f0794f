package io.peftj.djl.backbone.llama;

import io.peftj.core.run.Run;
import io.peftj.core.site.Sublayer;
import io.peftj.core.tensor.Activation;
import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.Tensor;
import io.peftj.djl.backbone.FusedLinear;
import io.peftj.djl.backbone.Linear;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One layer: attention and a gated feed-forward network, each behind an RMS norm and added to the residual stream. */
record LlamaLayer(
        int number,
        String name,
        Constant attentionNorm,
        FusedLinear queryKeyValue,
        @Nullable Constant queryNorm,
        @Nullable Constant keyNorm,
        Linear output,
        Constant feedForwardNorm,
        FusedLinear gateUp,
        Linear down,
        int headDim,
        double eps,
        Activation activation) {
    /** h [tokens, width] → [tokens, width]. */
    Tensor forward(Run run, Tensor h, Rope.Angles angles) {
        run.layerInput(number, h);
        Tensor x = norm(run, "input_layernorm", attentionNorm, h);
        Tensor attended = h.plus(run.sublayer(number, Sublayer.ATTENTION, x, attention(run, x, angles)));
        Tensor y = norm(run, "post_attention_layernorm", feedForwardNorm, attended);
        Tensor output = attended.plus(run.sublayer(number, Sublayer.FEED_FORWARD, y, feedForward(run, y)));
        return run.layerOutput(number, output);
    }

    private Tensor attention(Run run, Tensor x, Rope.Angles angles) {
        List<Tensor> parts = queryKeyValue.apply(run, x);
        Tensor q = headNorm(run, "self_attn.q_norm", queryNorm, heads(parts.get(0)));
        Tensor k = headNorm(run, "self_attn.k_norm", keyNorm, heads(parts.get(1)));
        Tensor v = heads(parts.get(2));
        Tensor rotatedQ = q.rotary(angles.cos(), angles.sin());
        Tensor rotatedK = k.rotary(angles.cos(), angles.sin());
        return output.apply(run, run.attention(number, rotatedQ, rotatedK, v, true, 1 / Math.sqrt(headDim)));
    }

    private Tensor feedForward(Run run, Tensor x) {
        List<Tensor> parts = gateUp.apply(run, x);
        return down.apply(run, parts.get(0).gatedActivation(parts.get(1), activation));
    }

    /** Over each head's own width; x [tokens, heads, head dim]. */
    private Tensor headNorm(Run run, String part, @Nullable Constant weight, Tensor x) {
        return weight == null ? x : norm(run, part, weight, x);
    }

    private Tensor norm(Run run, String part, Constant weight, Tensor x) {
        return run.rmsNorm(
                name + "." + part,
                x,
                run.session().tensor(weight),
                eps,
                run.batch().tokens());
    }

    /** [tokens, heads · head dim] → [tokens, heads, head dim]. */
    private Tensor heads(Tensor x) {
        return x.reshape(x.shape().dim(0), x.shape().dim(1) / headDim, headDim);
    }
}
