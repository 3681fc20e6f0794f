package io.peftj.core.tensor;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The arithmetic a backend offers: everything that {@link Tensor}'s operations and their gradients are made of.
 *
 * <p>Implementors get buffers of their own making whose shapes and formats {@link Tensor} has already checked. No kernel writes to its inputs; every
 * returned buffer is new (it may be a view made with {@link Buffer#Buffer(Buffer)}) and belongs to the caller. Results have the format of the
 * first input unless said otherwise; norms, softmaxes and losses accumulate in single precision at least. A {@code Buffer} named as nullable may be
 * absent. Kernels are called from one thread at a time a session, and from several sessions at once.
 */
public interface Kernels {
    /** The elementwise operations of two inputs. */
    enum Binary {
        ADD,
        SUBTRACT,
        MULTIPLY,
        DIVIDE,
        /** 1 where both are equal, 0 elsewhere. */
        EQUAL
    }

    /** The elementwise operations of one input. */
    enum Unary {
        EXP,
        LOG,
        SQRT,
        ABS,
        /** −1, 0 or 1. */
        SIGN,
        /** 1 above zero, 0 elsewhere. */
        STEP,
        TANH,
        SIGMOID
    }

    /** How a segment's entries become one. */
    enum Reduction {
        SUM,
        MEAN,
        MAX
    }

    // ---- in and out ----

    /** A new buffer with the values; for {@link DType#BF16} rounded to nearest even. */
    Buffer upload(float[] values, Shape shape, DType dtype);

    /** A new {@link DType#F64} buffer with the values. */
    Buffer upload(double[] values, Shape shape);

    /** A new int64 buffer [values.length]. */
    Buffer uploadIndex(long[] values);

    /** A new buffer of zeros. */
    Buffer zeros(Shape shape, DType dtype);

    /** The values, row-major. */
    double[] read(Buffer x);

    /** The values in single precision, row-major. */
    float[] readFloats(Buffer x);

    /**
     * Of each row of x [rows, n] the place of its largest element, the first of several, and that element, one pair after another; a NaN counts as larger
     * than all numbers.
     */
    double[] largest(Buffer x);

    /** The values of a bf16, f32 or f64 buffer in another format; the same buffer's copy where the format is the same. */
    Buffer cast(Buffer x, DType dtype);

    /** The same values in storage of their own, without gaps. */
    Buffer copy(Buffer x);

    // ---- structure ----

    Buffer reshape(Buffer x, Shape shape);

    Buffer permute(Buffer x, int... axes);

    /** Entries [from, to) of an axis: a view. */
    Buffer slice(Buffer x, int axis, int from, int to);

    Buffer concat(List<Buffer> parts, int axis);

    /** Entries of the first axis by number; numbers may repeat. */
    Buffer gather(Buffer x, Index index);

    /** A tensor of {@code rows} rows, zero but for row index(i), to which row i of x is added; numbers may repeat. Deterministic. */
    Buffer scatterAdd(Buffer x, Index index, int rows);

    /** A copy of x with row i of delta added to row index(i); numbers are unique. */
    Buffer addAt(Buffer x, Index index, Buffer delta);

    /** One row a segment [segments.count(), …]; an empty segment gives 0. Slots play no part. */
    Buffer segmentReduce(Buffer x, Segments segments, Reduction reduction);

    // ---- elementwise ----

    /** Broadcasts as PyTorch does. */
    Buffer binary(Binary operation, Buffer a, Buffer b);

    /** x · scale + shift. */
    Buffer affine(Buffer x, double scale, double shift);

    Buffer unary(Unary operation, Buffer x);

    Buffer activation(Activation activation, Buffer x);

    /** g · activation'(x). */
    Buffer activationBackward(Activation activation, Buffer g, Buffer x);

    /** Elements of x [tokens, features] dropped or scaled by 65536 / (65536 − threshold); its own gradient. */
    Buffer dropout(Buffer x, Dropout dropout);

    // ---- reductions ----

    /** The sum over axes so that x gets the shape it was broadcast from. */
    Buffer sumTo(Buffer x, Shape shape);

    /** The sum over one axis, which goes. */
    Buffer sum(Buffer x, int axis);

    /** The greatest over one axis, which goes. */
    Buffer max(Buffer x, int axis);

    /** Over the last axis. */
    Buffer softmax(Buffer x);

    // ---- products ----

    /** x [tokens, in] · Wᵀ (+ bias [out]) = [tokens, out]. */
    Buffer linear(Buffer x, Weight weight, @Nullable Buffer bias);

    /** g [tokens, out] · W = [tokens, in]. */
    Buffer linearTransposed(Buffer g, Weight weight);

    /** Rows of a weight by number [index.size(), in]. */
    Buffer rows(Weight weight, Index index);

    /** […, m, k] · […, k, n] with equal leading axes; of rank 2 or 3. */
    Buffer matmul(Buffer a, Buffer b);

    /**
     * The orthonormal factor of X = L·R, L lower triangular with a positive diagonal; computed in double precision.
     *
     * @param x [r, d], r ≤ d, of rank r
     * @return R [r, d] with orthonormal rows and L⁻¹ [r, r], both in x's format
     */
    Buffer[] orthonormalRows(Buffer x);

    /**
     * x [tokens, in] · P[slot]ᵀ by segment, P [slots, out, in]; zero where a segment has no slot. Without segments P is [out, in] and acts on all. In
     * x's format, which is P's.
     */
    Buffer groupedLinear(Buffer x, Buffer p, @Nullable Segments segments);

    /** g [tokens, out] · P[slot] by segment = [tokens, in]; zero where a segment has no slot. */
    Buffer groupedLinearTransposed(Buffer g, Buffer p, @Nullable Segments segments);

    /** Σ over a slot's tokens of g ⊗ x: [slots, out, in], or [out, in] without segments. */
    Buffer groupedOuter(Buffer g, Buffer x, @Nullable Segments segments);

    /**
     * dropout(x) · Aᵀ · Bᵀ, computed in A's format.
     *
     * @param a [r, in], or [slots, r, in] with segments
     * @param b [out, r], or [slots, out, r] with segments
     * @return the delta [tokens, out] in x's format, and dropout(x) · Aᵀ [tokens, r] in A's
     */
    Buffer[] lowRankDelta(Buffer x, Buffer a, Buffer b, @Nullable Segments segments, @Nullable Dropout dropout);

    /**
     * The gradients of {@link #lowRankDelta}.
     *
     * @param low dropout(x) · Aᵀ from the forward pass
     * @return dA and dB in A's format, then dx in x's where {@code wantInput}
     */
    Buffer[] lowRankDeltaBackward(
            Buffer g,
            Buffer x,
            Buffer a,
            Buffer b,
            Buffer low,
            @Nullable Segments segments,
            @Nullable Dropout dropout,
            boolean wantInput);

    // ---- fused ----

    /** x / √(mean(x²) + eps) · weight over the last axis; returns the result and 1/√(…) [leading axes, 1] in f32 at least. */
    Buffer[] rmsNorm(Buffer x, @Nullable Buffer weight, double eps);

    Buffer rmsNormBackward(Buffer g, Buffer x, @Nullable Buffer weight, Buffer inverseRms);

    /** (x − mean) / √(variance + eps) · weight + bias over the last axis; returns the result, mean and 1/√(…). */
    Buffer[] layerNorm(Buffer x, @Nullable Buffer weight, @Nullable Buffer bias, double eps);

    Buffer layerNormBackward(Buffer g, Buffer x, @Nullable Buffer weight, Buffer mean, Buffer inverseDeviation);

    /** activation(gate) ⊙ up. */
    Buffer gatedActivation(Activation activation, Buffer gate, Buffer up);

    /** The gradients of gate and up. */
    Buffer[] gatedActivationBackward(Activation activation, Buffer g, Buffer gate, Buffer up);

    /**
     * Rotary position embedding of x [tokens, heads, head dim], halves rotated as in Hugging Face: (x₁, x₂) → (x₁·cos − x₂·sin, x₂·cos + x₁·sin).
     *
     * @param cos [tokens, head dim / 2] in x's format
     * @param sin likewise
     * @param inverse rotates back, which is the gradient
     */
    Buffer rotary(Buffer x, Buffer cos, Buffer sin, boolean inverse);

    /** Keys and values [length, kv heads, head dim] that all tokens [begin, end) see besides their own row. */
    record Prefix(int begin, int end, Buffer keys, Buffer values) {}

    /**
     * Softmax attention inside rows: query token i of a row sees the row's keys (if causal, those at or before its own place) and its prefix.
     *
     * @param q [tokens, heads, head dim]
     * @param k [tokens, kv heads, head dim]; heads is a multiple of kv heads, and query head h reads kv head h / (heads / kv heads)
     * @param v like k
     * @param layout the rows
     * @param prefixes ranges that do not overlap and begin and end where rows do
     * @return the output [tokens, heads, head dim] and the logarithm of each softmax's denominator [heads, tokens] in f32 at least, prefix included
     */
    Buffer[] attention(
            Buffer q, Buffer k, Buffer v, Layout layout, boolean causal, double scale, List<Prefix> prefixes);

    /** The gradients of q, k, v, then of each prefix's keys and values in turn (the prefix's own format). */
    Buffer[] attentionBackward(
            Buffer g,
            Buffer q,
            Buffer k,
            Buffer v,
            Buffer out,
            Buffer logSumExp,
            Layout layout,
            boolean causal,
            double scale,
            List<Prefix> prefixes);

    /**
     * Softmax attention over a cache: a row's query token i sees the first {@code before + i + 1} places of the row's slot, and its prefix.
     *
     * @param q [tokens, heads, head dim]
     * @param keys [slots, kv heads, capacity, head dim], which holds the tokens' own keys already, and finite numbers behind them; query head h reads kv
     *     head h / (heads / kv heads)
     * @param values like keys
     * @param rows where the rows lie in the cache
     * @param prefixes as in {@link #attention}
     * @return [tokens, heads, head dim]
     */
    Buffer cachedAttention(Buffer q, Buffer keys, Buffer values, CacheLayout rows, double scale, List<Prefix> prefixes);

    /**
     * Σ weights(i) · Σ t(i, c) · −log softmax(logits(i))[c] over the targets t(i) = (1 − s) · u[labels(i)] · onehot(labels(i)) + s / classes · u, with s
     * the smoothing and u the classes' weights.
     *
     * @param logits [rows, classes]
     * @param weights [rows] f32 at least
     * @param smoothing 0 to below 1
     * @param classWeights u [classes] in weights' format; null for ones
     * @return the sum, a scalar in weights' format, and each row's negative log-likelihood −log softmax(logits(i))[labels(i)] as it is [rows]
     */
    Buffer[] crossEntropy(Buffer logits, Index labels, Buffer weights, double smoothing, @Nullable Buffer classWeights);

    /** g · weights ⊙ (softmax(logits) · Σ t − t), g a scalar. */
    Buffer crossEntropyBackward(
            Buffer g, Buffer logits, Index labels, Buffer weights, double smoothing, @Nullable Buffer classWeights);

    /**
     * {@link #crossEntropy} of x · Wᵀ without holding [rows, out] whole, with classes that weigh alike.
     *
     * @return the sum, each row's negative log-likelihood, and where {@code wantGradient} the sum's gradient of x
     */
    Buffer[] linearCrossEntropy(
            Buffer x, Weight weight, Index labels, Buffer weights, double smoothing, boolean wantGradient);
}
