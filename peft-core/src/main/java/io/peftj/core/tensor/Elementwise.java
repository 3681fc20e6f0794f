package io.peftj.core.tensor;

import static io.peftj.core.tensor.Ops.tensors;

import io.peftj.core.tensor.Kernels.Binary;
import io.peftj.core.tensor.Kernels.Unary;

/** Elementwise operations and their rules. */
final class Elementwise {
    private Elementwise() {}

    static Tensor plus(Tensor a, Tensor b) {
        Shape shape = broadcast("plus", a, b);
        Buffer out = Ops.kernels("plus", a, b).binary(Binary.ADD, a.buffer(), b.buffer());
        Shape aShape = a.shape();
        Shape bShape = b.shape();
        return Ops.result("plus", out, shape, a.dtype(), tensors(a, b), tensors(), pass -> {
            pass.give(0, () -> pass.gradient().sumTo(aShape));
            pass.give(1, () -> pass.gradient().sumTo(bShape));
        });
    }

    static Tensor minus(Tensor a, Tensor b) {
        Shape shape = broadcast("minus", a, b);
        Buffer out = Ops.kernels("minus", a, b).binary(Binary.SUBTRACT, a.buffer(), b.buffer());
        Shape aShape = a.shape();
        Shape bShape = b.shape();
        return Ops.result("minus", out, shape, a.dtype(), tensors(a, b), tensors(), pass -> {
            pass.give(0, () -> pass.gradient().sumTo(aShape));
            pass.give(1, () -> pass.gradient().sumTo(bShape).affine(-1, 0));
        });
    }

    static Tensor times(Tensor a, Tensor b) {
        Shape shape = broadcast("times", a, b);
        Buffer out = Ops.kernels("times", a, b).binary(Binary.MULTIPLY, a.buffer(), b.buffer());
        return Ops.result("times", out, shape, a.dtype(), tensors(a, b), savedFactors(a, b), pass -> {
            pass.give(0, () -> pass.gradient().times(pass.saved(1)).sumTo(a.shape()));
            pass.give(1, () -> pass.gradient().times(pass.saved(0)).sumTo(b.shape()));
        });
    }

    /** Each factor is needed for the other's gradient only: a frozen one's partner need not be kept. */
    private static Tensor[] savedFactors(Tensor a, Tensor b) {
        Tensor keptA = b.origin().isTracked() ? a : b;
        Tensor keptB = a.origin().isTracked() ? b : a;
        return tensors(keptA, keptB);
    }

    static Tensor dividedBy(Tensor a, Tensor b) {
        Shape shape = broadcast("dividedBy", a, b);
        Buffer out = Ops.kernels("dividedBy", a, b).binary(Binary.DIVIDE, a.buffer(), b.buffer());
        Tensor result = a.session().own(out, shape, a.dtype());
        return Ops.note("dividedBy", result, tensors(a, b), tensors(b, result), pass -> {
            pass.give(0, () -> pass.gradient().dividedBy(pass.saved(0)).sumTo(a.shape()));
            pass.give(
                    1,
                    () -> pass.gradient()
                            .times(pass.saved(1))
                            .dividedBy(pass.saved(0))
                            .sumTo(b.shape())
                            .affine(-1, 0));
        });
    }

    static Tensor affine(Tensor x, double scale, double shift) {
        Buffer out = Ops.kernels("affine", x).affine(x.buffer(), scale, shift);
        return Ops.result(
                "affine",
                out,
                x.shape(),
                x.dtype(),
                tensors(x),
                tensors(),
                pass -> pass.give(0, () -> pass.gradient().affine(scale, 0)));
    }

    static Tensor exp(Tensor x) {
        Tensor y = unary("exp", Unary.EXP, x);
        return Ops.note(
                "exp",
                y,
                tensors(x),
                tensors(y),
                pass -> pass.give(0, () -> pass.gradient().times(pass.saved(0))));
    }

    static Tensor log(Tensor x) {
        Tensor y = unary("log", Unary.LOG, x);
        return Ops.note(
                "log",
                y,
                tensors(x),
                tensors(x),
                pass -> pass.give(0, () -> pass.gradient().dividedBy(pass.saved(0))));
    }

    static Tensor sqrt(Tensor x) {
        Tensor y = unary("sqrt", Unary.SQRT, x);
        return Ops.note(
                "sqrt",
                y,
                tensors(x),
                tensors(y),
                pass -> pass.give(
                        0, () -> pass.gradient().dividedBy(pass.saved(0)).affine(0.5, 0)));
    }

    static Tensor abs(Tensor x) {
        Tensor y = unary("abs", Unary.ABS, x);
        return Ops.note(
                "abs",
                y,
                tensors(x),
                tensors(x),
                pass -> pass.give(0, () -> pass.gradient().times(unary("sign", Unary.SIGN, pass.saved(0)))));
    }

    static Tensor sigmoid(Tensor x) {
        Tensor y = unary("sigmoid", Unary.SIGMOID, x);
        return Ops.note(
                "sigmoid",
                y,
                tensors(x),
                tensors(y),
                pass -> pass.give(
                        0,
                        () -> pass.gradient()
                                .times(pass.saved(0).times(pass.saved(0).affine(-1, 1)))));
    }

    static Tensor activation(Tensor x, Activation activation) {
        String name = activation.name().toLowerCase(java.util.Locale.ROOT);
        Buffer out = Ops.kernels(name, x).activation(activation, x.buffer());
        return Ops.result(
                name,
                out,
                x.shape(),
                x.dtype(),
                tensors(x),
                tensors(x),
                pass -> pass.give(0, () -> {
                    Tensor g = pass.gradient();
                    Buffer dx = Ops.kernels(name, g)
                            .activationBackward(
                                    activation, g.buffer(), pass.saved(0).buffer());
                    return g.session().own(dx, g.shape(), g.dtype());
                }));
    }

    static Tensor dropout(Tensor x, Dropout dropout) {
        Ops.checkRank("dropout", x, 2, "[tokens, features]");
        checkDropout("dropout", x, dropout);
        Buffer out = Ops.kernels("dropout", x).dropout(x.buffer(), dropout);
        return Ops.result(
                "dropout",
                out,
                x.shape(),
                x.dtype(),
                tensors(x),
                tensors(),
                pass -> pass.give(0, () -> pass.gradient().dropout(dropout)));
    }

    static void checkDropout(String operation, Tensor x, Dropout dropout) {
        int tokens = x.shape().dim(0);
        Ops.check(
                dropout.tokenKeys().size() == tokens && dropout.thresholds().size() == tokens,
                operation,
                () -> dropout.tokenKeys().size() + " keys and "
                        + dropout.thresholds().size() + " thresholds were given for shape " + x.shape()
                        + "; expected one of each a token");
    }

    static Tensor equalMask(Tensor a, Tensor b) {
        Shape shape = broadcast("equalMask", a, b);
        return a.session()
                .own(Ops.kernels("equalMask", a, b).binary(Binary.EQUAL, a.buffer(), b.buffer()), shape, a.dtype());
    }

    private static Tensor unary(String name, Unary operation, Tensor x) {
        return x.session().own(Ops.kernels(name, x).unary(operation, x.buffer()), x.shape(), x.dtype());
    }

    /** One of the two has the result's shape; the other is a scalar, [width], [tokens, 1] or the like. */
    private static Shape broadcast(String operation, Tensor a, Tensor b) {
        int ranks = Integer.compare(a.shape().rank(), b.shape().rank());
        boolean first =
                ranks > 0 || (ranks == 0 && a.shape().size() >= b.shape().size());
        Shape larger = first ? a.shape() : b.shape();
        Shape smaller = first ? b.shape() : a.shape();
        for (int axis = 1; axis <= smaller.rank(); axis++) {
            int size = smaller.dim(-axis);
            if (size != 1 && size != larger.dim(-axis)) {
                throw new IllegalArgumentException(
                        operation + ": shapes " + a.shape() + " and " + b.shape()
                                + " do not match; one of them must be the other's shape, with sizes of 1 or without leading axes");
            }
        }
        return larger;
    }
}
