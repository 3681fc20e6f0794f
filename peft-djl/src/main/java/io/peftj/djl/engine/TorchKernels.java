package io.peftj.djl.engine;

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
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The vocabulary's arithmetic in libtorch: each operation is one call of the archive's method. */
final class TorchKernels implements Kernels {
    private final TorchCalls calls;
    private final HostMemory host;
    private final StructureKernels structure;
    private final ProductKernels products;
    private final FusedKernels fused;
    private final AttentionKernels attention;

    TorchKernels(TorchCalls calls, HostMemory host, KernelChoice choice, boolean packedWeights) {
        this.calls = calls;
        this.host = host;
        this.structure = new StructureKernels(calls);
        this.products = new ProductKernels(calls, choice, packedWeights);
        this.fused = new FusedKernels(calls, choice);
        this.attention = new AttentionKernels(calls, choice);
    }

    // ---- in and out ----

    @Override
    public Buffer upload(float[] values, Shape shape, DType dtype) {
        return host.upload(values, shape, ScalarType.of(dtype));
    }

    @Override
    public Buffer upload(double[] values, Shape shape) {
        return host.upload(values, shape);
    }

    @Override
    public Buffer uploadIndex(long[] values) {
        return host.upload(values);
    }

    @Override
    public Buffer zeros(Shape shape, DType dtype) {
        Form form = new Form(shape, ScalarType.of(dtype));
        return calls.one(
                "zeros", form, StructureKernels.longs(shape.dims()), form.type().code());
    }

    @Override
    public double[] read(Buffer x) {
        return host.readDoubles(of(x));
    }

    @Override
    public float[] readFloats(Buffer x) {
        return host.readFloats(of(x));
    }

    @Override
    public double[] largest(Buffer x) {
        TorchBuffer pairs = calls.one("largest", Form.of(ScalarType.F64, of(x).dim(0), 2), x);
        try {
            return host.readDoubles(pairs);
        } finally {
            pairs.release();
        }
    }

    @Override
    public Buffer cast(Buffer x, DType dtype) {
        Form form = of(x).form().withType(ScalarType.of(dtype));
        return calls.one("cast", form, x, form.type().code());
    }

    @Override
    public Buffer copy(Buffer x) {
        return calls.one("copy", of(x).form(), x);
    }

    // ---- structure ----

    @Override
    public Buffer reshape(Buffer x, Shape shape) {
        return structure.reshape(of(x), shape);
    }

    @Override
    public Buffer permute(Buffer x, int... axes) {
        return structure.permute(of(x), axes);
    }

    @Override
    public Buffer slice(Buffer x, int axis, int from, int to) {
        return structure.slice(of(x), axis, from, to);
    }

    @Override
    public Buffer concat(List<Buffer> parts, int axis) {
        return structure.concat(parts.stream().map(TorchBuffer::of).toList(), axis);
    }

    @Override
    public Buffer gather(Buffer x, Index index) {
        return structure.gather(of(x), index);
    }

    @Override
    public Buffer scatterAdd(Buffer x, Index index, int rows) {
        return structure.scatterAdd(of(x), index, rows);
    }

    @Override
    public Buffer addAt(Buffer x, Index index, Buffer delta) {
        return structure.addAt(of(x), index, of(delta));
    }

    @Override
    public Buffer segmentReduce(Buffer x, Segments segments, Reduction reduction) {
        return structure.segmentReduce(of(x), segments, reduction);
    }

    // ---- elementwise ----

    @Override
    public Buffer binary(Binary operation, Buffer a, Buffer b) {
        Form form = of(a).form()
                .withShape(broadcast(of(a).form().shape(), of(b).form().shape()));
        return calls.alike(name(operation), form, a, b);
    }

    @Override
    public Buffer affine(Buffer x, double scale, double shift) {
        return calls.alike("affine", of(x).form(), x, scale, shift);
    }

    @Override
    public Buffer unary(Unary operation, Buffer x) {
        return calls.alike(name(operation), of(x).form(), x);
    }

    @Override
    public Buffer activation(Activation activation, Buffer x) {
        return fused.activation(activation, of(x));
    }

    @Override
    public Buffer activationBackward(Activation activation, Buffer g, Buffer x) {
        return fused.activationBackward(activation, g, of(x));
    }

    @Override
    public Buffer dropout(Buffer x, Dropout dropout) {
        long site = ProductKernels.siteOf(dropout);
        return calls.one("dropout", of(x).form(), x, dropout.tokenKeys(), dropout.thresholds(), site);
    }

    // ---- reductions ----

    @Override
    public Buffer sumTo(Buffer x, Shape shape) {
        Form form = of(x).form();
        // libtorch returns its argument where there is nothing to sum.
        return form.shape().equals(shape)
                ? copy(x)
                : calls.alike("sum_to", form.withShape(shape), x, StructureKernels.longs(shape.dims()));
    }

    @Override
    public Buffer sum(Buffer x, int axis) {
        return reduce("sum", of(x), axis);
    }

    @Override
    public Buffer max(Buffer x, int axis) {
        return reduce("max", of(x), axis);
    }

    @Override
    public Buffer softmax(Buffer x) {
        return calls.one("softmax", of(x).form(), x);
    }

    private Buffer reduce(String kernel, TorchBuffer x, int axis) {
        return calls.alike(kernel, x.form().withShape(x.form().shape().without(axis)), x, axis);
    }

    // ---- products ----

    @Override
    public Buffer linear(Buffer x, Weight weight, @Nullable Buffer bias) {
        return products.linear(of(x), TorchWeight.of(weight), bias);
    }

    @Override
    public Buffer linearTransposed(Buffer g, Weight weight) {
        return products.linearTransposed(of(g), TorchWeight.of(weight));
    }

    @Override
    public Buffer rows(Weight weight, Index index) {
        return products.rows(TorchWeight.of(weight), index);
    }

    @Override
    public Buffer matmul(Buffer a, Buffer b) {
        return products.matmul(of(a), of(b));
    }

    @Override
    public Buffer[] orthonormalRows(Buffer x) {
        return products.orthonormalRows(of(x));
    }

    @Override
    public Buffer groupedLinear(Buffer x, Buffer p, @Nullable Segments segments) {
        return products.grouped(of(x), of(p), segments);
    }

    @Override
    public Buffer groupedLinearTransposed(Buffer g, Buffer p, @Nullable Segments segments) {
        return products.groupedTransposed(of(g), of(p), segments);
    }

    @Override
    public Buffer groupedOuter(Buffer g, Buffer x, @Nullable Segments segments) {
        return products.groupedOuter(of(g), of(x), segments);
    }

    @Override
    public Buffer[] lowRankDelta(Buffer x, Buffer a, Buffer b, @Nullable Segments segments, @Nullable Dropout dropout) {
        return products.lowRankDelta(of(x), of(a), of(b), segments, dropout);
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
        return products.lowRankDeltaBackward(of(g), of(x), of(a), of(b), of(low), segments, dropout, wantInput);
    }

    // ---- fused ----

    @Override
    public Buffer[] rmsNorm(Buffer x, @Nullable Buffer weight, double eps) {
        return fused.rmsNorm(of(x), weight, eps);
    }

    @Override
    public Buffer rmsNormBackward(Buffer g, Buffer x, @Nullable Buffer weight, Buffer inverseRms) {
        return fused.rmsNormBackward(g, of(x), weight, inverseRms);
    }

    @Override
    public Buffer[] layerNorm(Buffer x, @Nullable Buffer weight, @Nullable Buffer bias, double eps) {
        return fused.layerNorm(of(x), weight, bias, eps);
    }

    @Override
    public Buffer layerNormBackward(Buffer g, Buffer x, @Nullable Buffer weight, Buffer mean, Buffer inverseDeviation) {
        return fused.layerNormBackward(g, of(x), weight, mean, inverseDeviation);
    }

    @Override
    public Buffer gatedActivation(Activation activation, Buffer gate, Buffer up) {
        return fused.gatedActivation(activation, of(gate), up);
    }

    @Override
    public Buffer[] gatedActivationBackward(Activation activation, Buffer g, Buffer gate, Buffer up) {
        return fused.gatedActivationBackward(activation, g, of(gate), up);
    }

    @Override
    public Buffer rotary(Buffer x, Buffer cos, Buffer sin, boolean inverse) {
        return fused.rotary(of(x), cos, sin, inverse);
    }

    @Override
    public Buffer[] attention(
            Buffer q, Buffer k, Buffer v, Layout layout, boolean causal, double scale, List<Prefix> prefixes) {
        return attention.attention(of(q), of(k), of(v), layout, causal, scale, prefixes);
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
        return attention.attentionBackward(
                of(g), of(q), of(k), of(v), of(out), of(logSumExp), layout, causal, scale, prefixes);
    }

    @Override
    public Buffer cachedAttention(
            Buffer q, Buffer keys, Buffer values, CacheLayout rows, double scale, List<Prefix> prefixes) {
        return attention.cachedAttention(of(q), keys, values, rows, scale, prefixes);
    }

    @Override
    public Buffer[] crossEntropy(
            Buffer logits, Index labels, Buffer weights, double smoothing, @Nullable Buffer classWeights) {
        return fused.crossEntropy(of(logits), labels, of(weights), smoothing, classWeights);
    }

    @Override
    public Buffer crossEntropyBackward(
            Buffer g, Buffer logits, Index labels, Buffer weights, double smoothing, @Nullable Buffer classWeights) {
        return fused.crossEntropyBackward(g, of(logits), labels, weights, smoothing, classWeights);
    }

    @Override
    public Buffer[] linearCrossEntropy(
            Buffer x, Weight weight, Index labels, Buffer weights, double smoothing, boolean wantGradient) {
        return fused.linearCrossEntropy(of(x), TorchWeight.of(weight), labels, of(weights), smoothing, wantGradient);
    }

    private static TorchBuffer of(Buffer buffer) {
        return TorchBuffer.of(buffer);
    }

    private static String name(Enum<?> operation) {
        return operation.name().toLowerCase(Locale.ROOT);
    }

    /** Of each axis, counted from the last, the size that is not 1. */
    private static Shape broadcast(Shape a, Shape b) {
        int[] dims = new int[Math.max(a.rank(), b.rank())];
        for (int back = 1; back <= dims.length; back++) {
            int ofA = back <= a.rank() ? a.dim(-back) : 1;
            int ofB = back <= b.rank() ? b.dim(-back) : 1;
            dims[dims.length - back] = ofA == 1 ? ofB : ofA;
        }
        return Shape.of(dims);
    }
}
