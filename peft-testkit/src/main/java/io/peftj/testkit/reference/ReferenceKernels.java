package io.peftj.testkit.reference;

import io.peftj.core.tensor.Activation;
import io.peftj.core.tensor.Buffer;
import io.peftj.core.tensor.CacheLayout;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Dropout;
import io.peftj.core.tensor.Index;
import io.peftj.core.tensor.Kernels;
import io.peftj.core.tensor.Layout;
import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Weight;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Unpacks buffers, calls the formula, packs the result in its format. */
final class ReferenceKernels implements Kernels {
    private final Store store;

    ReferenceKernels(Store store) {
        this.store = store;
    }

    // ---- in and out ----

    @Override
    public Buffer upload(float[] values, Shape shape, DType dtype) {
        return store.keep(new Array(shape, Store.doubles(values)), dtype);
    }

    @Override
    public Buffer upload(double[] values, Shape shape) {
        return store.keep(new Array(shape, values.clone()), DType.F64);
    }

    @Override
    public Buffer uploadIndex(long[] values) {
        return new ReferenceIndex(store.meter(), values.length);
    }

    @Override
    public Buffer zeros(Shape shape, DType dtype) {
        return store.keep(Array.zeros(shape), dtype);
    }

    @Override
    public double[] read(Buffer x) {
        return array(x).values().clone();
    }

    @Override
    public float[] readFloats(Buffer x) {
        return Store.floats(array(x).values());
    }

    @Override
    public double[] largest(Buffer x) {
        Array matrix = array(x);
        int rows = matrix.shape().dim(0);
        int width = matrix.shape().dim(1);
        double[] pairs = new double[2 * rows];
        for (int row = 0; row < rows; row++) {
            int best = 0;
            for (int i = 1; i < width; i++) {
                // Double.compare puts NaN above all numbers.
                if (Double.compare(matrix.values()[row * width + i], matrix.values()[row * width + best]) > 0) {
                    best = i;
                }
            }
            pairs[2 * row] = best;
            pairs[2 * row + 1] = matrix.values()[row * width + best];
        }
        return pairs;
    }

    @Override
    public Buffer cast(Buffer x, DType dtype) {
        return store.keep(copyOf(x), dtype);
    }

    @Override
    public Buffer copy(Buffer x) {
        return store.keep(copyOf(x), dtype(x));
    }

    // ---- structure ----

    @Override
    public Buffer reshape(Buffer x, Shape shape) {
        return new ReferenceBuffer(Store.of(x), 0, shape);
    }

    @Override
    public Buffer permute(Buffer x, int... axes) {
        return like(x, Structure.permute(array(x), axes));
    }

    @Override
    public Buffer slice(Buffer x, int axis, int from, int to) {
        ReferenceBuffer whole = Store.of(x);
        Shape shape = whole.shape().with(axis, to - from);
        if (whole.shape().axis(axis) == 0) {
            return new ReferenceBuffer(whole, from * array(x).inner(0), shape);
        }
        return like(x, Structure.slice(array(x), axis, from, to));
    }

    @Override
    public Buffer concat(List<Buffer> parts, int axis) {
        return like(parts.get(0), Structure.concat(arrays(parts), axis));
    }

    @Override
    public Buffer gather(Buffer x, Index index) {
        return like(x, Structure.gather(array(x), index));
    }

    @Override
    public Buffer scatterAdd(Buffer x, Index index, int rows) {
        return like(x, Structure.scatterAdd(array(x), index, rows));
    }

    @Override
    public Buffer addAt(Buffer x, Index index, Buffer delta) {
        return like(x, Structure.addAt(array(x), index, array(delta)));
    }

    @Override
    public Buffer segmentReduce(Buffer x, Segments segments, Reduction reduction) {
        return like(x, Structure.segmentReduce(array(x), segments, reduction));
    }

    // ---- elementwise ----

    @Override
    public Buffer binary(Binary operation, Buffer a, Buffer b) {
        return like(a, Elementwise.binary(operation, array(a), array(b)));
    }

    @Override
    public Buffer affine(Buffer x, double scale, double shift) {
        return like(x, Elementwise.map(array(x), value -> value * scale + shift));
    }

    @Override
    public Buffer unary(Unary operation, Buffer x) {
        return like(x, Elementwise.map(array(x), value -> Elementwise.apply(operation, value)));
    }

    @Override
    public Buffer activation(Activation activation, Buffer x) {
        return like(x, Elementwise.map(array(x), value -> Activations.value(activation, value)));
    }

    @Override
    public Buffer activationBackward(Activation activation, Buffer g, Buffer x) {
        Array derivative = Elementwise.map(array(x), value -> Activations.derivative(activation, value));
        return like(g, Elementwise.binary(Binary.MULTIPLY, array(g), derivative));
    }

    @Override
    public Buffer dropout(Buffer x, Dropout dropout) {
        return like(x, Elementwise.dropout(array(x), dropout));
    }

    // ---- reductions ----

    @Override
    public Buffer sumTo(Buffer x, Shape shape) {
        return like(x, Elementwise.sumTo(array(x), shape));
    }

    @Override
    public Buffer sum(Buffer x, int axis) {
        return like(x, Structure.sum(array(x), axis));
    }

    @Override
    public Buffer max(Buffer x, int axis) {
        return like(x, Structure.max(array(x), axis));
    }

    @Override
    public Buffer softmax(Buffer x) {
        return like(x, Structure.softmax(array(x)));
    }

    // ---- products ----

    @Override
    public Buffer linear(Buffer x, Weight weight, @Nullable Buffer bias) {
        return like(x, Products.linear(array(x), array(weight), optional(bias)));
    }

    @Override
    public Buffer linearTransposed(Buffer g, Weight weight) {
        return like(g, Products.linearTransposed(array(g), array(weight)));
    }

    @Override
    public Buffer rows(Weight weight, Index index) {
        return store.keep(Structure.gather(array(weight), index), weight.dtype());
    }

    @Override
    public Buffer matmul(Buffer a, Buffer b) {
        return like(a, Products.matmul(array(a), array(b)));
    }

    @Override
    public Buffer[] orthonormalRows(Buffer x) {
        Products.Orthonormal parts = Products.orthonormalRows(array(x));
        return new Buffer[] {like(x, parts.rows()), like(x, parts.inverse())};
    }

    @Override
    public Buffer groupedLinear(Buffer x, Buffer p, @Nullable Segments segments) {
        return like(x, Products.groupedLinear(array(x), array(p), segments));
    }

    @Override
    public Buffer groupedLinearTransposed(Buffer g, Buffer p, @Nullable Segments segments) {
        return like(g, Products.groupedLinearTransposed(array(g), array(p), segments));
    }

    @Override
    public Buffer groupedOuter(Buffer g, Buffer x, @Nullable Segments segments) {
        return like(g, Products.groupedOuter(array(g), array(x), segments));
    }

    @Override
    public Buffer[] lowRankDelta(Buffer x, Buffer a, Buffer b, @Nullable Segments segments, @Nullable Dropout dropout) {
        Products.LowRank result = Products.lowRankDelta(array(x), array(a), array(b), segments, dropout);
        return buffers(like(x, result.delta()), like(a, result.low()));
    }

    @Override
    public Buffer[] lowRankDeltaBackward(
            Buffer g,
            Buffer x,
            Buffer a,
            Buffer b,
            Buffer low,
            @Nullable Segments segments,
            @Nullable Dropout dropout,
            boolean wantInput) {
        Products.LowRankGradients gradients =
                Products.lowRankDeltaBackward(array(g), array(x), array(a), array(b), array(low), segments, dropout);
        Buffer ofA = like(a, gradients.a());
        Buffer ofB = like(b, gradients.b());
        return wantInput ? buffers(ofA, ofB, like(x, gradients.x())) : buffers(ofA, ofB);
    }

    // ---- fused ----

    @Override
    public Buffer[] rmsNorm(Buffer x, @Nullable Buffer weight, double eps) {
        Norms.Normalised result = Norms.rmsNorm(array(x), optional(weight), eps);
        return buffers(like(x, result.result()), statistics(x, result.inverse()));
    }

    @Override
    public Buffer rmsNormBackward(Buffer g, Buffer x, @Nullable Buffer weight, Buffer inverseRms) {
        return like(x, Norms.backward(array(g), array(x), optional(weight), null, array(inverseRms)));
    }

    @Override
    public Buffer[] layerNorm(Buffer x, @Nullable Buffer weight, @Nullable Buffer bias, double eps) {
        Norms.Normalised result = Norms.layerNorm(array(x), optional(weight), optional(bias), eps);
        return buffers(like(x, result.result()), statistics(x, result.mean()), statistics(x, result.inverse()));
    }

    @Override
    public Buffer layerNormBackward(Buffer g, Buffer x, @Nullable Buffer weight, Buffer mean, Buffer inverseDeviation) {
        return like(x, Norms.backward(array(g), array(x), optional(weight), array(mean), array(inverseDeviation)));
    }

    @Override
    public Buffer gatedActivation(Activation activation, Buffer gate, Buffer up) {
        Array active = Elementwise.map(array(gate), value -> Activations.value(activation, value));
        return like(gate, Elementwise.binary(Binary.MULTIPLY, active, array(up)));
    }

    @Override
    public Buffer[] gatedActivationBackward(Activation activation, Buffer g, Buffer gate, Buffer up) {
        Array active = Elementwise.map(array(gate), value -> Activations.value(activation, value));
        Array derivative = Elementwise.map(array(gate), value -> Activations.derivative(activation, value));
        Array ofActive = Elementwise.binary(Binary.MULTIPLY, array(g), array(up));
        return buffers(
                like(gate, Elementwise.binary(Binary.MULTIPLY, ofActive, derivative)),
                like(up, Elementwise.binary(Binary.MULTIPLY, array(g), active)));
    }

    @Override
    public Buffer rotary(Buffer x, Buffer cos, Buffer sin, boolean inverse) {
        return like(x, Norms.rotary(array(x), array(cos), array(sin), inverse));
    }

    @Override
    public Buffer[] attention(
            Buffer q, Buffer k, Buffer v, Layout layout, boolean causal, double scale, List<Prefix> prefixes) {
        Attention.Result result =
                new Attention(array(q), array(k), array(v), layout, causal, scale, arraysOf(prefixes)).forward();
        return buffers(like(q, result.out()), statistics(q, result.logSumExp()));
    }

    @Override
    public Buffer[] attentionBackward(
            Buffer g,
            Buffer q,
            Buffer k,
            Buffer v,
            Buffer out,
            Buffer logSumExp,
            Layout layout,
            boolean causal,
            double scale,
            List<Prefix> prefixes) {
        List<Array> gradients = new Attention(array(q), array(k), array(v), layout, causal, scale, arraysOf(prefixes))
                .backward(array(g), array(out), array(logSumExp));
        Buffer[] results = new Buffer[gradients.size()];
        for (int i = 0; i < results.length; i++) {
            Buffer input = i < 3 ? q : prefixes.get((i - 3) / 2).keys();
            results[i] = like(input, gradients.get(i));
        }
        return results;
    }

    @Override
    public Buffer cachedAttention(
            Buffer q, Buffer keys, Buffer values, CacheLayout rows, double scale, List<Prefix> prefixes) {
        CachedAttention attention =
                new CachedAttention(array(q), array(keys), array(values), rows, scale, arraysOf(prefixes));
        return like(q, attention.forward());
    }

    @Override
    public Buffer[] crossEntropy(
            Buffer logits, Index labels, Buffer weights, double smoothing, @Nullable Buffer classWeights) {
        Losses.Loss loss =
                Losses.crossEntropy(array(logits), labels, array(weights), smoothing, optional(classWeights));
        return buffers(like(weights, loss.sum()), like(weights, loss.perRow()));
    }

    @Override
    public Buffer crossEntropyBackward(
            Buffer g, Buffer logits, Index labels, Buffer weights, double smoothing, @Nullable Buffer classWeights) {
        double scale = array(g).values()[0];
        return like(
                logits,
                Losses.crossEntropyBackward(
                        scale, array(logits), labels, array(weights), smoothing, optional(classWeights)));
    }

    @Override
    public Buffer[] linearCrossEntropy(
            Buffer x, Weight weight, Index labels, Buffer weights, double smoothing, boolean wantGradient) {
        Array logits = Products.linear(array(x), array(weight), null);
        Losses.Loss loss = Losses.crossEntropy(logits, labels, array(weights), smoothing, null);
        Buffer sum = like(weights, loss.sum());
        Buffer perRow = like(weights, loss.perRow());
        if (!wantGradient) {
            return buffers(sum, perRow);
        }
        Array ofLogits = Losses.crossEntropyBackward(1, logits, labels, array(weights), smoothing, null);
        return buffers(sum, perRow, like(x, Products.linearTransposed(ofLogits, array(weight))));
    }

    // ---- packing ----

    private static Array array(Buffer buffer) {
        return Store.of(buffer).array();
    }

    private static Array array(Weight weight) {
        return ReferenceWeight.of(weight).array();
    }

    private static @Nullable Array optional(@Nullable Buffer buffer) {
        return buffer == null ? null : array(buffer);
    }

    private static List<Array> arrays(List<Buffer> buffers) {
        return buffers.stream().map(ReferenceKernels::array).toList();
    }

    private static List<Attention.Prefix> arraysOf(List<Prefix> prefixes) {
        return prefixes.stream()
                .map(p -> new Attention.Prefix(p.begin(), p.end(), array(p.keys()), array(p.values())))
                .toList();
    }

    private static Array copyOf(Buffer buffer) {
        Array array = array(buffer);
        return new Array(array.shape(), array.values().clone());
    }

    private static DType dtype(Buffer buffer) {
        return Store.of(buffer).dtype();
    }

    /** A result in another buffer's format. */
    private Buffer like(Buffer other, Array result) {
        return store.keep(result, dtype(other));
    }

    /** Statistics of a norm or a softmax are in single precision at least. */
    private Buffer statistics(Buffer x, Array result) {
        return store.keep(result, dtype(x) == DType.F64 ? DType.F64 : DType.F32);
    }

    private static Buffer[] buffers(Buffer... buffers) {
        return buffers;
    }
}
