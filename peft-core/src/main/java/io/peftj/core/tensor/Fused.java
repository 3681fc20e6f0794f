package io.peftj.core.tensor;

import static io.peftj.core.tensor.Ops.tensors;

import io.peftj.core.tensor.Kernels.Prefix;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Operations with kernels of their own because time goes there: norms, rotary embedding, gates, attention, losses. */
final class Fused {
    private Fused() {}

    static Tensor rmsNorm(Tensor x, @Nullable Tensor weight, double eps) {
        checkNormParameter("rmsNorm", x, weight);
        if (weight != null && weight.origin().isTracked()) {
            return rmsNorm(x, null, eps).times(weight);
        }
        Buffer[] out = Ops.kernels("rmsNorm", x).rmsNorm(x.buffer(), buffer(weight), eps);
        Tensor y = x.session().own(out[0], x.shape(), x.dtype());
        Tensor inverse = x.session().own(out[1], x.shape().with(-1, 1), statistics(x));
        return Ops.note(
                "rmsNorm",
                y,
                tensors(x),
                weight == null ? tensors(x, inverse) : tensors(x, inverse, weight),
                pass -> pass.give(0, () -> {
                    Tensor g = pass.gradient();
                    Buffer dx = Ops.kernels("rmsNorm", g)
                            .rmsNormBackward(
                                    g.buffer(),
                                    pass.saved(0).buffer(),
                                    weight == null ? null : pass.saved(2).buffer(),
                                    pass.saved(1).buffer());
                    return g.session().own(dx, g.shape(), g.dtype());
                }));
    }

    static Tensor layerNorm(Tensor x, @Nullable Tensor weight, @Nullable Tensor bias, double eps) {
        checkNormParameter("layerNorm", x, weight);
        checkNormParameter("layerNorm", x, bias);
        if (weight != null && weight.origin().isTracked()) {
            Tensor scaled = layerNorm(x, null, null, eps).times(weight);
            return bias == null ? scaled : scaled.plus(bias);
        }
        if (bias != null && bias.origin().isTracked()) {
            return layerNorm(x, weight, null, eps).plus(bias);
        }
        Buffer[] out = Ops.kernels("layerNorm", x).layerNorm(x.buffer(), buffer(weight), buffer(bias), eps);
        Tensor y = x.session().own(out[0], x.shape(), x.dtype());
        Tensor mean = x.session().own(out[1], x.shape().with(-1, 1), statistics(x));
        Tensor inverse = x.session().own(out[2], x.shape().with(-1, 1), statistics(x));
        return Ops.note(
                "layerNorm",
                y,
                tensors(x),
                weight == null ? tensors(x, mean, inverse) : tensors(x, mean, inverse, weight),
                pass -> pass.give(0, () -> {
                    Tensor g = pass.gradient();
                    Buffer dx = Ops.kernels("layerNorm", g)
                            .layerNormBackward(
                                    g.buffer(),
                                    pass.saved(0).buffer(),
                                    weight == null ? null : pass.saved(3).buffer(),
                                    pass.saved(1).buffer(),
                                    pass.saved(2).buffer());
                    return g.session().own(dx, g.shape(), g.dtype());
                }));
    }

    static Tensor rotary(Tensor x, Tensor cos, Tensor sin) {
        Ops.checkRank("rotary", x, 3, "[tokens, heads, head dim]");
        Ops.check(x.shape().dim(2) % 2 == 0, "rotary", () -> "the head dimension of shape " + x.shape() + " is odd");
        Shape half = Shape.of(x.shape().dim(0), x.shape().dim(2) / 2);
        Ops.checkShape("rotary", "cos", cos, half);
        Ops.checkShape("rotary", "sin", sin, half);
        Buffer out = Ops.kernels("rotary", x, cos, sin).rotary(x.buffer(), cos.buffer(), sin.buffer(), false);
        return Ops.result(
                "rotary",
                out,
                x.shape(),
                x.dtype(),
                tensors(x),
                tensors(cos, sin),
                pass -> pass.give(0, () -> {
                    Tensor g = pass.gradient();
                    Buffer dx = Ops.kernels("rotary", g)
                            .rotary(
                                    g.buffer(),
                                    pass.saved(0).buffer(),
                                    pass.saved(1).buffer(),
                                    true);
                    return g.session().own(dx, g.shape(), g.dtype());
                }));
    }

    static Tensor gatedActivation(Tensor gate, Tensor up, Activation activation) {
        Ops.checkShape("gatedActivation", "up", up, gate.shape());
        Buffer out = Ops.kernels("gatedActivation", gate, up).gatedActivation(activation, gate.buffer(), up.buffer());
        return Ops.result(
                "gatedActivation", out, gate.shape(), gate.dtype(), tensors(gate, up), tensors(gate, up), pass -> {
                    Tensor g = pass.gradient();
                    Buffer[] gradients = Ops.kernels("gatedActivation", g)
                            .gatedActivationBackward(
                                    activation,
                                    g.buffer(),
                                    pass.saved(0).buffer(),
                                    pass.saved(1).buffer());
                    Tensor dGate = g.session().own(gradients[0], g.shape(), g.dtype());
                    Tensor dUp = g.session().own(gradients[1], g.shape(), g.dtype());
                    pass.give(0, () -> dGate);
                    pass.give(1, () -> dUp);
                });
    }

    static Tensor attention(
            Tensor q, Tensor k, Tensor v, Layout layout, boolean causal, double scale, List<AttentionPrefix> prefixes) {
        checkAttention(q, k, v, layout, prefixes);
        Kernels kernels = Ops.kernels("attention", q, k, v);
        Buffer[] out = kernels.attention(
                q.buffer(),
                k.buffer(),
                v.buffer(),
                layout,
                causal,
                scale,
                prefixes.stream().map(AttentionPrefix::forKernel).toList());
        Session session = q.session();
        Tensor y = session.own(out[0], q.shape(), q.dtype());
        Tensor logSumExp =
                session.own(out[1], Shape.of(q.shape().dim(1), q.shape().dim(0)), statistics(q));
        List<Tensor> inputs = new ArrayList<>(List.of(q, k, v));
        for (AttentionPrefix prefix : prefixes) {
            inputs.add(prefix.keys());
            inputs.add(prefix.values());
        }
        List<Tensor> saved = new ArrayList<>(inputs);
        saved.add(y);
        saved.add(logSumExp);
        int count = inputs.size();
        List<Shape> shapes = inputs.stream().map(Tensor::shape).toList();
        List<DType> formats = inputs.stream().map(Tensor::dtype).toList();
        return Ops.note("attention", y, inputs.toArray(Tensor[]::new), saved.toArray(Tensor[]::new), pass -> {
            List<Prefix> kept = new ArrayList<>();
            for (int i = 0; i < prefixes.size(); i++) {
                AttentionPrefix prefix = prefixes.get(i);
                kept.add(new Prefix(
                        prefix.begin(),
                        prefix.end(),
                        pass.saved(3 + 2 * i).buffer(),
                        pass.saved(4 + 2 * i).buffer()));
            }
            Buffer[] gradients = kernels.attentionBackward(
                    pass.gradient().buffer(),
                    pass.saved(0).buffer(),
                    pass.saved(1).buffer(),
                    pass.saved(2).buffer(),
                    pass.saved(count).buffer(),
                    pass.saved(count + 1).buffer(),
                    layout,
                    causal,
                    scale,
                    kept);
            // All have an owner before the first is passed on, which may fail.
            List<Tensor> owned = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                owned.add(session.own(gradients[i], shapes.get(i), formats.get(i)));
            }
            for (int i = 0; i < count; i++) {
                Tensor gradient = owned.get(i);
                pass.give(i, () -> gradient);
            }
        });
    }

    static Tensor attention(
            Tensor q, KeyValueCache cache, int layer, CacheLayout rows, double scale, List<AttentionPrefix> prefixes) {
        Shape shape = cache.shape();
        Ops.checkRank("attention", q, 3, "queries [tokens, heads, head dim]");
        Ops.check(
                q.shape().dim(0) == rows.queries().tokens()
                        && q.shape().dim(1) % shape.dim(1) == 0
                        && q.shape().dim(2) == shape.dim(3)
                        && q.dtype() == cache.dtype(),
                "attention",
                () -> "queries " + q + " do not fit a layout of "
                        + rows.queries().tokens() + " tokens over a cache " + shape + " " + cache.dtype());
        cache.check("attention", rows);
        checkPrefixes(q, rows.queries(), prefixes, shape.dim(1), shape.dim(3));
        KeyValueCache.refuseGradients("attention", q);
        prefixes.forEach(prefix -> KeyValueCache.refuseGradients("attention", prefix.keys(), prefix.values()));
        Buffer out = Ops.kernels("attention", q)
                .cachedAttention(
                        q.buffer(),
                        cache.keys(layer).buffer(),
                        cache.values(layer).buffer(),
                        rows,
                        scale,
                        prefixes.stream().map(AttentionPrefix::forKernel).toList());
        return q.session().own(out, q.shape(), q.dtype());
    }

    static Loss crossEntropy(
            Tensor logits, Index labels, Tensor weights, double smoothing, @Nullable Tensor classWeights) {
        Ops.checkRank("crossEntropy", logits, 2, "logits [rows, classes]");
        int rows = logits.shape().dim(0);
        int classes = logits.shape().dim(1);
        checkLabels("crossEntropy", labels, weights, rows, classes, smoothing);
        if (classWeights != null) {
            Ops.kernels("crossEntropy", weights, classWeights);
            Ops.checkShape("crossEntropy", "class weights", classWeights, Shape.of(classes));
        }
        Buffer[] out = Ops.kernels("crossEntropy", logits)
                .crossEntropy(logits.buffer(), labels, weights.buffer(), smoothing, buffer(classWeights));
        Session session = logits.session();
        Tensor sum = session.own(out[0], Shape.SCALAR, weights.dtype());
        Tensor perRow = session.own(out[1], Shape.of(rows), weights.dtype());
        Tensor noted = Ops.note(
                "crossEntropy",
                sum,
                tensors(logits),
                classWeights == null ? tensors(logits, weights) : tensors(logits, weights, classWeights),
                pass -> pass.give(0, () -> {
                    Tensor g = pass.gradient();
                    Buffer dx = Ops.kernels("crossEntropy", g)
                            .crossEntropyBackward(
                                    g.buffer(),
                                    pass.saved(0).buffer(),
                                    labels,
                                    pass.saved(1).buffer(),
                                    smoothing,
                                    classWeights == null ? null : pass.saved(2).buffer());
                    return session.own(dx, logits.shape(), logits.dtype());
                }));
        return new Loss(noted, perRow);
    }

    static Loss linearCrossEntropy(Tensor x, Weight weight, Index labels, Tensor weights, double smoothing) {
        Ops.check(
                x.shape().rank() == 2 && x.shape().dim(1) == weight.inFeatures(),
                "linearCrossEntropy",
                () -> "expected [rows, " + weight.inFeatures() + "], found shape " + x.shape());
        Ops.check(
                x.dtype() == weight.dtype(),
                "linearCrossEntropy",
                () -> "the input is " + x.dtype() + ", the weight " + weight.dtype());
        int rows = x.shape().dim(0);
        checkLabels("linearCrossEntropy", labels, weights, rows, weight.outFeatures(), smoothing);
        Session session = x.session();
        boolean wanted = session.tape() != null && x.origin().isTracked();
        Buffer[] out = Ops.kernels("linearCrossEntropy", x)
                .linearCrossEntropy(x.buffer(), weight, labels, weights.buffer(), smoothing, wanted);
        Tensor sum = session.own(out[0], Shape.SCALAR, weights.dtype());
        Tensor perRow = session.own(out[1], Shape.of(rows), weights.dtype());
        // The gradient is made in the forward pass, while a chunk's logits are at hand; the backward pass only scales
        // it.
        Tensor[] saved = wanted ? tensors(session.own(out[2], x.shape(), x.dtype())) : tensors();
        Tensor noted = Ops.note(
                "linearCrossEntropy",
                sum,
                tensors(x),
                saved,
                pass -> pass.give(0, () -> pass.saved(0).times(pass.gradient().cast(x.dtype()))));
        return new Loss(noted, perRow);
    }

    private static @Nullable Buffer buffer(@Nullable Tensor parameter) {
        return parameter == null ? null : parameter.buffer();
    }

    private static DType statistics(Tensor x) {
        return x.dtype() == DType.F64 ? DType.F64 : DType.F32;
    }

    private static void checkNormParameter(String operation, Tensor x, @Nullable Tensor parameter) {
        if (parameter != null) {
            Ops.kernels(operation, x, parameter);
            Ops.checkShape(
                    operation, "a parameter", parameter, Shape.of(x.shape().dim(-1)));
        }
    }

    private static void checkLabels(
            String operation, Index labels, Tensor weights, int rows, int classes, double smoothing) {
        Ops.check(labels.size() == rows, operation, () -> labels.size() + " labels were given for " + rows + " rows");
        Ops.checkShape(operation, "weights", weights, Shape.of(rows));
        weights.checkUsable(operation);
        Ops.check(weights.dtype() != DType.BF16, operation, () -> "weights are F32 or F64, found BF16");
        Ops.check(
                smoothing >= 0 && smoothing < 1,
                operation,
                () -> "the smoothing should be 0 or more and below 1, found " + smoothing);
        for (long label : labels.values()) {
            Ops.check(
                    label >= 0 && label < classes,
                    operation,
                    () -> "label " + label + " is not one of " + classes + " classes");
        }
    }

    private static void checkAttention(Tensor q, Tensor k, Tensor v, Layout layout, List<AttentionPrefix> prefixes) {
        Ops.checkRank("attention", q, 3, "queries [tokens, heads, head dim]");
        Ops.checkRank("attention", k, 3, "keys [tokens, kv heads, head dim]");
        Ops.checkShape("attention", "v", v, k.shape());
        Ops.check(
                q.shape().dim(0) == layout.tokens()
                        && k.shape().dim(0) == layout.tokens()
                        && q.shape().dim(2) == k.shape().dim(2)
                        && q.shape().dim(1) % k.shape().dim(1) == 0,
                "attention",
                () -> "queries " + q.shape() + " and keys " + k.shape() + " do not fit a layout of " + layout.tokens()
                        + " tokens with heads a multiple of kv heads");
        checkPrefixes(q, layout, prefixes, k.shape().dim(1), k.shape().dim(2));
    }

    private static void checkPrefixes(
            Tensor q, Layout layout, List<AttentionPrefix> prefixes, int kvHeads, int headDim) {
        checkRanges(layout, prefixes);
        for (AttentionPrefix prefix : prefixes) {
            Shape keys = prefix.keys().shape();
            Ops.kernels("attention", q, prefix.keys(), prefix.values());
            Ops.checkShape("attention", "a prefix's values", prefix.values(), keys);
            Ops.check(
                    keys.rank() == 3 && keys.dim(0) > 0 && keys.dim(1) == kvHeads && keys.dim(2) == headDim,
                    "attention",
                    () -> "a prefix's keys should have shape [length, " + kvHeads + ", " + headDim + "], found "
                            + keys);
        }
    }

    /** Kernels compute whole rows at a time, each with one prefix at most. */
    private static void checkRanges(Layout layout, List<AttentionPrefix> prefixes) {
        for (int i = 0; i < prefixes.size(); i++) {
            AttentionPrefix prefix = prefixes.get(i);
            String range = "[" + prefix.begin() + ", " + prefix.end() + ")";
            Ops.check(
                    prefix.begin() < prefix.end()
                            && layout.isBoundary(prefix.begin())
                            && layout.isBoundary(prefix.end()),
                    "attention",
                    () -> "a prefix's tokens " + range + " do not begin and end where rows of the layout do");
            for (AttentionPrefix other : prefixes.subList(0, i)) {
                Ops.check(
                        prefix.end() <= other.begin() || other.end() <= prefix.begin(),
                        "attention",
                        () -> "the tokens " + range + " have two prefixes; join their keys and values first");
            }
        }
    }
}
