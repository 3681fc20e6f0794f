package io.peftj.core.tensor;

import static io.peftj.core.tensor.Ops.tensors;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Matrix products and their rules. */
final class Products {
    private Products() {}

    static Tensor linear(Tensor x, Weight weight, @Nullable Tensor bias) {
        Ops.check(
                x.shape().rank() == 2 && x.shape().dim(1) == weight.inFeatures(),
                "linear",
                () -> "expected [tokens, " + weight.inFeatures() + "] for a weight [" + weight.outFeatures() + ", "
                        + weight.inFeatures() + "], found shape " + x.shape());
        Ops.check(
                x.dtype() == weight.dtype(),
                "linear",
                () -> "the input is " + x.dtype() + ", the weight " + weight.dtype() + "; cast the input");
        if (bias != null) {
            Ops.checkShape("linear", "bias", bias, Shape.of(weight.outFeatures()));
            Ops.kernels("linear", x, bias);
            if (bias.origin().isTracked()) {
                return linear(x, weight, null).plus(bias);
            }
        }
        Buffer out = Ops.kernels("linear", x).linear(x.buffer(), weight, bias == null ? null : bias.buffer());
        Shape shape = Shape.of(x.shape().dim(0), weight.outFeatures());
        return Ops.result(
                "linear",
                out,
                shape,
                x.dtype(),
                tensors(x),
                tensors(),
                pass -> pass.give(0, () -> {
                    Tensor g = pass.gradient();
                    Buffer dx = Ops.kernels("linear", g).linearTransposed(g.buffer(), weight);
                    return g.session().own(dx, Shape.of(g.shape().dim(0), weight.inFeatures()), g.dtype());
                }));
    }

    static Tensor rows(Session session, Weight weight, Index ids) {
        for (long id : ids.values()) {
            Ops.check(
                    id >= 0 && id < weight.outFeatures(),
                    "rows",
                    () -> "number " + id + " is not a row of " + weight.outFeatures());
        }
        Buffer out = session.kernels().rows(weight, ids);
        return session.own(out, Shape.of(ids.size(), weight.inFeatures()), weight.dtype());
    }

    static Tensor linear(Tensor x, Tensor p, @Nullable Segments segments) {
        checkParameter("linear", x, p, segments);
        Buffer out = Ops.kernels("linear", x, p).groupedLinear(x.buffer(), p.buffer(), segments);
        Shape shape = Shape.of(x.shape().dim(0), p.shape().dim(-2));
        // x is needed for P's gradient only and P for x's.
        Tensor keptX = p.origin().isTracked() ? x : p;
        Tensor keptP = x.origin().isTracked() ? p : x;
        return Ops.result("linear", out, shape, x.dtype(), tensors(x, p), tensors(keptX, keptP), pass -> {
            Tensor g = pass.gradient();
            Kernels kernels = Ops.kernels("linear", g);
            pass.give(
                    0,
                    () -> g.session()
                            .own(
                                    kernels.groupedLinearTransposed(
                                            g.buffer(), pass.saved(1).buffer(), segments),
                                    x.shape(),
                                    g.dtype()));
            pass.give(
                    1,
                    () -> g.session()
                            .own(
                                    kernels.groupedOuter(
                                            g.buffer(), pass.saved(0).buffer(), segments),
                                    p.shape(),
                                    g.dtype()));
        });
    }

    static Tensor matmul(Tensor a, Tensor b) {
        int rank = a.shape().rank();
        Ops.check(
                (rank == 2 || rank == 3)
                        && b.shape().rank() == rank
                        && a.shape().dim(-1) == b.shape().dim(-2)
                        && (rank == 2 || a.shape().dim(0) == b.shape().dim(0)),
                "matmul",
                () -> "shapes " + a.shape() + " and " + b.shape()
                        + " do not fit [m, k] · [k, n] with an equal leading axis or none");
        Buffer out = Ops.kernels("matmul", a, b).matmul(a.buffer(), b.buffer());
        Shape shape = a.shape().with(-1, b.shape().dim(-1));
        return Ops.result("matmul", out, shape, a.dtype(), tensors(a, b), tensors(a, b), pass -> {
            pass.give(0, () -> pass.gradient().matmul(pass.saved(1).transpose()));
            pass.give(1, () -> pass.saved(0).transpose().matmul(pass.gradient()));
        });
    }

    static Tensor lowRankDelta(Tensor x, Tensor a, Tensor b, @Nullable Segments segments, @Nullable Dropout dropout) {
        checkParameter("lowRankDelta", x, a, segments);
        int rank = segments == null ? 2 : 3;
        Ops.check(
                b.shape().rank() == rank
                        && b.shape().dim(-1) == a.shape().dim(-2)
                        && (segments == null || b.shape().dim(0) == a.shape().dim(0)),
                "lowRankDelta",
                () -> "B of shape " + b.shape() + " does not fit A of shape " + a.shape()
                        + "; expected [out, r] and [r, in], stacked alike");
        if (dropout != null) {
            Elementwise.checkDropout("lowRankDelta", x, dropout);
        }
        x.checkUsable("lowRankDelta");
        Kernels kernels = Ops.kernels("lowRankDelta", a, b);
        Buffer[] out = kernels.lowRankDelta(x.buffer(), a.buffer(), b.buffer(), segments, dropout);
        int tokens = x.shape().dim(0);
        Tensor delta = x.session().own(out[0], Shape.of(tokens, b.shape().dim(-2)), x.dtype());
        Tensor low = x.session().own(out[1], Shape.of(tokens, a.shape().dim(-2)), a.dtype());
        return Ops.note("lowRankDelta", delta, tensors(x, a, b), tensors(x, a, b, low), pass -> {
            Tensor g = pass.gradient();
            Buffer[] gradients = kernels.lowRankDeltaBackward(
                    g.buffer(),
                    pass.saved(0).buffer(),
                    pass.saved(1).buffer(),
                    pass.saved(2).buffer(),
                    pass.saved(3).buffer(),
                    segments,
                    dropout,
                    pass.wants(0));
            Session session = g.session();
            Tensor da = session.own(gradients[0], a.shape(), a.dtype());
            Tensor db = session.own(gradients[1], b.shape(), b.dtype());
            Tensor dx = pass.wants(0) ? session.own(gradients[2], x.shape(), x.dtype()) : null;
            pass.give(1, () -> da);
            pass.give(2, () -> db);
            if (dx != null) {
                pass.give(0, () -> dx);
            }
        });
    }

    static Tensor orthonormalRows(Tensor x) {
        Ops.checkRank("orthonormalRows", x, 2, "a matrix [r, d]");
        int r = x.shape().dim(0);
        Ops.check(
                r <= x.shape().dim(1),
                "orthonormalRows",
                () -> "expected no more rows than columns, found shape " + x.shape());
        Session session = x.session();
        Buffer[] out = Ops.kernels("orthonormalRows", x).orthonormalRows(x.buffer());
        Tensor rows = session.own(out[0], x.shape(), x.dtype());
        Tensor inverse = session.own(out[1], Shape.of(r, r), x.dtype());
        return Ops.note(
                "orthonormalRows",
                rows,
                tensors(x),
                tensors(rows, inverse),
                pass -> pass.give(0, () -> {
                    // dX = L·dR + dL·R with L⁻¹·dL lower triangular and dR·Rᵀ antisymmetric, so with M = G·Rᵀ and U the
                    // part above the diagonal
                    // the gradient is L⁻ᵀ·(G + (U(M − Mᵀ) − M)·R).
                    Tensor g = pass.gradient();
                    Tensor m = g.matmul(pass.saved(0).transpose());
                    Tensor above = g.session().tensor(aboveDiagonal(r), g.dtype());
                    Tensor k = m.minus(m.transpose()).times(above).minus(m);
                    return pass.saved(1).transpose().matmul(g.plus(k.matmul(pass.saved(0))));
                }));
    }

    /** Ones above the diagonal [n, n]. */
    private static HostTensor aboveDiagonal(int n) {
        HostTensor mask = HostTensor.filled(Shape.of(n, n), 0);
        for (int i = 0; i < n; i++) {
            Arrays.fill(mask.values(), i * n + i + 1, (i + 1) * n, 1);
        }
        return mask;
    }

    /** A trainable matrix [out, in], or [slots, out, in] with segments that cover x. */
    private static void checkParameter(String operation, Tensor x, Tensor p, @Nullable Segments segments) {
        Ops.checkRank(operation, x, 2, "an input [tokens, in]");
        boolean fits = p.shape().rank() == (segments == null ? 2 : 3)
                && p.shape().dim(-1) == x.shape().dim(1)
                && (segments == null
                        || (p.shape().dim(0) == segments.slotCount()
                                && segments.total() == x.shape().dim(0)));
        Ops.check(
                fits,
                operation,
                () -> "expected a parameter "
                        + (segments == null ? "[" : "[" + segments.slotCount() + ", ")
                        + "out, " + x.shape().dim(1) + "] for an input " + x.shape() + ", found shape " + p.shape());
    }
}
