package io.peftj.core.tensor;

import io.peftj.core.tensor.Kernels.Reduction;
import io.peftj.core.tensor.Tape.Origin;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An immutable value in a backend's memory whose shape and format Java knows: the vocabulary in which backbones and methods are written.
 *
 * <p>A wrong shape or a mixed format is an IllegalArgumentException that names the operation, before anything is computed; nothing is promoted.
 * Results belong to the session's innermost {@link Scope}; using a tensor after its scope closed is an IllegalStateException. While a {@link Tape}
 * records, operations that depend on one of its leaves are noted with their gradient rule.
 */
public final class Tensor {
    private final Session session;
    private final Buffer buffer;
    private final Shape shape;
    private final DType dtype;
    private final @Nullable Constant constant;
    private final long version;
    private final Origin origin;

    Tensor(Session session, Buffer buffer, Shape shape, DType dtype, @Nullable Constant constant) {
        this(session, buffer, shape, dtype, constant, constant == null ? 0 : constant.version(), Origin.NONE);
    }

    private Tensor(
            Session session,
            Buffer buffer,
            Shape shape,
            DType dtype,
            @Nullable Constant constant,
            long version,
            Origin origin) {
        this.session = session;
        this.buffer = buffer;
        this.shape = shape;
        this.dtype = dtype;
        this.constant = constant;
        this.version = version;
        this.origin = origin;
    }

    /** Sizes of the axes. */
    public Shape shape() {
        return shape;
    }

    /** Number format. */
    public DType dtype() {
        return dtype;
    }

    /** The session it belongs to. */
    public Session session() {
        return session;
    }

    /** The value in the backend's memory; for {@link Updates} and kernels alone. */
    public Buffer buffer() {
        return buffer;
    }

    /** The values in single precision, read into Java. */
    public HostTensor toHost() {
        checkUsable("toHost");
        return HostTensor.of(shape, session.kernels().readFloats(buffer));
    }

    /** The values in double precision, read into Java, row-major. */
    public double[] toDoubles() {
        checkUsable("toDoubles");
        return session.kernels().read(buffer);
    }

    /**
     * Of each row of a matrix the place of its largest element, the first of several, and that element, one pair after another: all that is read into Java.
     * A NaN counts as larger than all numbers.
     */
    public double[] largest() {
        String operation = "largest";
        checkUsable(operation);
        Ops.check(shape.rank() == 2, operation, () -> "expected a matrix [rows, n], found shape " + shape);
        return session.kernels().largest(buffer);
    }

    /** The same value, through which no gradient flows. */
    public Tensor detach() {
        return at(Origin.NONE);
    }

    // ---- structure ----

    /** The same elements in order under another shape. */
    public Tensor reshape(int... dims) {
        return reshape(Shape.of(dims));
    }

    /** The same elements in order under another shape. */
    public Tensor reshape(Shape other) {
        return Structure.reshape(this, other);
    }

    /** Axes in another order. */
    public Tensor permute(int... axes) {
        return Structure.permute(this, axes);
    }

    /** The last two axes exchanged. */
    public Tensor transpose() {
        int rank = shape.rank();
        return switch (rank) {
            case 2 -> permute(1, 0);
            case 3 -> permute(0, 2, 1);
            default ->
                throw new IllegalArgumentException("transpose: expected two or three axes, found shape " + shape);
        };
    }

    /** Entries [from, to) of an axis. */
    public Tensor slice(int axis, int from, int to) {
        return Structure.slice(this, axis, from, to);
    }

    /** An axis cut into parts of the given sizes. */
    public List<Tensor> split(int axis, int... sizes) {
        return Structure.split(this, axis, sizes);
    }

    /** Tensors joined along an axis. */
    public static Tensor concat(List<Tensor> parts, int axis) {
        return Structure.concat(parts, axis);
    }

    /** Entries of the first axis by number; numbers may repeat. */
    public Tensor gather(Index index) {
        return Structure.gather(this, index);
    }

    /** {@code rows} rows of zeros, row i of this added to row index(i); numbers may repeat. The gradient of {@link #gather}. */
    public Tensor scatterAdd(Index index, int rows) {
        return Structure.scatterAdd(this, index, rows);
    }

    /** This with row i of delta added to row index(i); numbers are unique. */
    public Tensor addAt(Index index, Tensor delta) {
        return Structure.addAt(this, index, delta);
    }

    /** Row slot(s) for every place of segment s: [slots, …] → [total, …]; {@code fill} where a segment has no slot. */
    public Tensor repeat(Segments segments, double fill) {
        return Structure.repeat(this, segments, fill);
    }

    /** One row a segment: [total, …] → [segments, …]. An empty segment gives 0. Ties of a maximum share the gradient alike. */
    public Tensor segmentReduce(Segments segments, Reduction reduction) {
        return Structure.segmentReduce(this, segments, reduction);
    }

    /** The same values in another format, rounded to nearest even. */
    public Tensor cast(DType other) {
        return Structure.cast(this, other);
    }

    // ---- elementwise ----

    /** This + other; one of the two may be a scalar, [width], [tokens, 1] or the like. */
    public Tensor plus(Tensor other) {
        return Elementwise.plus(this, other);
    }

    /** This − other; broadcasts like {@link #plus}. */
    public Tensor minus(Tensor other) {
        return Elementwise.minus(this, other);
    }

    /** This · other, elementwise; broadcasts like {@link #plus}. */
    public Tensor times(Tensor other) {
        return Elementwise.times(this, other);
    }

    /** This / other, elementwise; broadcasts like {@link #plus}. */
    public Tensor dividedBy(Tensor other) {
        return Elementwise.dividedBy(this, other);
    }

    /** This · scale + shift. */
    public Tensor affine(double scale, double shift) {
        return Elementwise.affine(this, scale, shift);
    }

    /** eˣ. */
    public Tensor exp() {
        return Elementwise.exp(this);
    }

    /** The natural logarithm. */
    public Tensor log() {
        return Elementwise.log(this);
    }

    /** The square root. */
    public Tensor sqrt() {
        return Elementwise.sqrt(this);
    }

    /** The absolute value; its gradient at 0 is 0. */
    public Tensor abs() {
        return Elementwise.abs(this);
    }

    /** 1 / (1 + e⁻ˣ). */
    public Tensor sigmoid() {
        return Elementwise.sigmoid(this);
    }

    /** A nonlinearity of transformers. */
    public Tensor activation(Activation activation) {
        return Elementwise.activation(this, activation);
    }

    /** Elements of [tokens, features] dropped, the kept ones scaled so that the mean stays. */
    public Tensor dropout(Dropout dropout) {
        return Elementwise.dropout(this, dropout);
    }

    // ---- reductions ----

    /** The sum over an axis, which goes. */
    public Tensor sum(int axis) {
        return Structure.sum(this, axis);
    }

    /** The mean over an axis, which goes. */
    public Tensor mean(int axis) {
        return sum(axis).affine(1.0 / shape.dim(axis), 0);
    }

    /** The greatest over an axis, which goes; ties share the gradient alike. */
    public Tensor max(int axis) {
        return Structure.max(this, axis);
    }

    /** Softmax over the last axis. */
    public Tensor softmax() {
        return Structure.softmax(this);
    }

    /** Softmax over the places of each segment: [total, …]. */
    public Tensor segmentSoftmax(Segments segments) {
        Segments each = segments.withOwnSlots();
        Tensor greatest = detach().segmentReduce(each, Reduction.MAX).repeat(each, 0);
        Tensor exponentials = minus(greatest).exp();
        return exponentials.dividedBy(
                exponentials.segmentReduce(each, Reduction.SUM).repeat(each, 0));
    }

    /** The sum down to a shape that broadcasts to this one: the gradient of broadcasting. */
    public Tensor sumTo(Shape other) {
        return Structure.sumTo(this, other);
    }

    // ---- products ----

    /** This [tokens, in] · Wᵀ + bias = [tokens, out] for a frozen weight [out, in]. */
    public Tensor linear(Weight weight, @Nullable Tensor bias) {
        return Products.linear(this, weight, bias);
    }

    /** This [tokens, in] · Pᵀ for a trainable matrix [out, in]. */
    public Tensor linear(Tensor matrix) {
        return Products.linear(this, matrix, null);
    }

    /** This [tokens, in] · P[slot]ᵀ by segment for stacked trainable matrices [slots, out, in]; 0 where a segment has no slot. */
    public Tensor linear(Tensor matrices, Segments segments) {
        return Products.linear(this, matrices, segments);
    }

    /** […, m, k] · […, k, n] with an equal leading axis or none. */
    public Tensor matmul(Tensor other) {
        return Products.matmul(this, other);
    }

    /**
     * dropout(x) · Aᵀ · Bᵀ for this x [tokens, in], computed in A's format, returned in x's: LoRA's product (arXiv 2106.09685).
     *
     * @param a [r, in], or with segments [slots, r, in]
     * @param b [out, r], or with segments [slots, out, r]
     * @param segments which of the stacked matrices acts on which tokens; null for one pair that acts on all
     * @param dropout null for none
     */
    public Tensor lowRankDelta(Tensor a, Tensor b, @Nullable Segments segments, @Nullable Dropout dropout) {
        return Products.lowRankDelta(this, a, b, segments, dropout);
    }

    /**
     * R [r, d] with orthonormal rows of this X [r, d] of rank r: X = L·R, L lower triangular with a positive diagonal. That is Qᵀ of the QR decomposition
     * Xᵀ = Q·Lᵀ, with signs that make it unique.
     */
    public Tensor orthonormalRows() {
        return Products.orthonormalRows(this);
    }

    /** Rows of a frozen weight by number: [ids, in]. */
    public static Tensor rows(Session session, Weight weight, Index ids) {
        return Products.rows(session, weight, ids);
    }

    // ---- fused ----

    /** x / √(mean(x²) + eps) · weight over the last axis (arXiv 1910.07467). */
    public Tensor rmsNorm(@Nullable Tensor weight, double eps) {
        return Fused.rmsNorm(this, weight, eps);
    }

    /** (x − mean) / √(variance + eps) · weight + bias over the last axis (arXiv 1607.06450). */
    public Tensor layerNorm(@Nullable Tensor weight, @Nullable Tensor bias, double eps) {
        return Fused.layerNorm(this, weight, bias, eps);
    }

    /** Rotary position embedding (arXiv 2104.09864) of [tokens, heads, head dim] with cos and sin [tokens, head dim / 2], which are constants. */
    public Tensor rotary(Tensor cos, Tensor sin) {
        return Fused.rotary(this, cos, sin);
    }

    /** activation(this) ⊙ up. */
    public Tensor gatedActivation(Tensor up, Activation activation) {
        return Fused.gatedActivation(this, up, activation);
    }

    /**
     * Softmax attention of these queries [tokens, heads, head dim] inside rows.
     *
     * @param keys [tokens, kv heads, head dim]; query head h reads kv head h / (heads / kv heads)
     * @param values like keys
     * @param layout the rows
     * @param causal whether a token sees only the places of its row at or before its own
     * @param scale what scores are multiplied with
     * @param prefixes more keys and values that some rows see
     * @return [tokens, heads, head dim]
     */
    public Tensor attention(
            Tensor keys, Tensor values, Layout layout, boolean causal, double scale, List<AttentionPrefix> prefixes) {
        return Fused.attention(this, keys, values, layout, causal, scale, prefixes);
    }

    /**
     * Causal softmax attention of these queries [tokens, heads, head dim] over what their rows have in a cache, these tokens included.
     *
     * @param cache holds the keys and values of these tokens already
     * @param layer whose keys and values are read
     * @param rows where the rows lie in the cache
     * @param scale what scores are multiplied with
     * @param prefixes more keys and values that some rows see
     * @return [tokens, heads, head dim]
     * @throws IllegalStateException if a gradient of these queries or of a prefix is wanted
     */
    public Tensor attention(
            KeyValueCache cache, int layer, CacheLayout rows, double scale, List<AttentionPrefix> prefixes) {
        return Fused.attention(this, cache, layer, rows, scale, prefixes);
    }

    /** Σ weight · −log softmax(logits)[label] of these logits [rows, classes]; weights [rows] are constants. */
    public Loss crossEntropy(Index labels, Tensor weights) {
        return crossEntropy(labels, weights, 0, null);
    }

    /**
     * {@link #crossEntropy(Index, Tensor)} with smoothed labels (arXiv 1512.00567) and weighted classes, as PyTorch's CrossEntropyLoss has them: what
     * row i should give is t = (1 − smoothing) · u[label] · onehot(label) + smoothing / classes · u, and it counts weight · Σ t · −log softmax(logits).
     *
     * @param smoothing 0 to below 1
     * @param classWeights u [classes], constants in the weights' format; null for ones
     */
    public Loss crossEntropy(Index labels, Tensor weights, double smoothing, @Nullable Tensor classWeights) {
        return Fused.crossEntropy(this, labels, weights, smoothing, classWeights);
    }

    /** {@link #crossEntropy} of this [rows, in] · Wᵀ without holding [rows, out] whole. */
    public Loss linearCrossEntropy(Weight weight, Index labels, Tensor weights) {
        return linearCrossEntropy(weight, labels, weights, 0);
    }

    /** {@link #linearCrossEntropy(Weight, Index, Tensor)} with smoothed labels. */
    public Loss linearCrossEntropy(Weight weight, Index labels, Tensor weights, double smoothing) {
        return Fused.linearCrossEntropy(this, weight, labels, weights, smoothing);
    }

    @Override
    public String toString() {
        return "Tensor" + shape + " " + dtype;
    }

    // ---- for the operations of this package ----

    Origin origin() {
        return origin;
    }

    Tensor at(Origin other) {
        return new Tensor(session, buffer, shape, dtype, constant, version, other);
    }

    /** A result that may share this tensor's storage: of a constant, it tells the same version, since updates write there. */
    Tensor view(Buffer out, Shape other) {
        Tensor owned = session.own(out, other, dtype);
        return new Tensor(session, owned.buffer, other, dtype, constant, version, Origin.NONE);
    }

    /** 1 where both are equal, else 0; no gradient flows. */
    Tensor equalMask(Tensor other) {
        return Elementwise.equalMask(this, other);
    }

    /** The same value as a tensor of another session. */
    Tensor in(Session other) {
        return new Tensor(other, buffer, shape, dtype, constant, version, Origin.NONE);
    }

    /**
     * This, or a copy if it is a view that would keep much more alive than is needed.
     *
     * @param needed elements of its storage that are kept anyway
     */
    Tensor compact(long needed) {
        if (constant != null || buffer.storageBytes() <= 2 * needed * dtype.bytes()) {
            return this;
        }
        return session.own(session.kernels().copy(buffer), shape, dtype);
    }

    void checkUsable(String operation) {
        session.checkUsable(operation);
        if (!buffer.isAlive()) {
            throw new IllegalStateException(
                    operation + ": the tensor " + this + " was freed with its scope or its owner; keep it");
        }
    }

    void checkUnchanged(String operation) {
        if (constant != null && constant.version() != version) {
            throw new IllegalStateException("backward of " + operation + ": a parameter of shape " + shape
                    + " was changed after the operation read it; differentiate before the update");
        }
    }
}
