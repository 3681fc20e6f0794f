package io.peftj.core.tensor;

import static io.peftj.core.tensor.Ops.tensors;

import io.peftj.core.tensor.Kernels.Reduction;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Operations that move values without changing them, with their rules; and reductions. */
final class Structure {
    private Structure() {}

    static Tensor reshape(Tensor x, Shape shape) {
        Ops.check(
                shape.size() == x.shape().size(),
                "reshape",
                () -> "shape " + x.shape() + " has " + x.shape().size() + " elements, " + shape + " has "
                        + shape.size());
        Buffer out = Ops.kernels("reshape", x).reshape(x.buffer(), shape);
        Shape before = x.shape();
        return Ops.note(
                "reshape",
                x.view(out, shape),
                tensors(x),
                tensors(),
                pass -> pass.give(0, () -> pass.gradient().reshape(before)));
    }

    static Tensor permute(Tensor x, int... axes) {
        int rank = x.shape().rank();
        int[] inverse = new int[rank];
        int[] dims = new int[rank];
        boolean[] seen = new boolean[rank];
        Ops.check(
                axes.length == rank,
                "permute",
                () -> "axes " + Arrays.toString(axes) + " are not those of shape " + x.shape());
        for (int i = 0; i < rank; i++) {
            int axis = x.shape().axis(axes[i]);
            Ops.check(!seen[axis], "permute", () -> "axes " + Arrays.toString(axes) + " name an axis twice");
            seen[axis] = true;
            inverse[axis] = i;
            dims[i] = x.shape().dim(axis);
        }
        Buffer out = Ops.kernels("permute", x).permute(x.buffer(), axes);
        return Ops.note(
                "permute",
                x.view(out, Shape.of(dims)),
                tensors(x),
                tensors(),
                pass -> pass.give(0, () -> pass.gradient().permute(inverse)));
    }

    static Tensor slice(Tensor x, int axis, int from, int to) {
        int at = x.shape().axis(axis);
        int size = x.shape().dim(at);
        Ops.check(
                0 <= from && from <= to && to <= size,
                "slice",
                () -> "[" + from + ", " + to + ") is not inside axis " + at + " of shape " + x.shape());
        Buffer out = Ops.kernels("slice", x).slice(x.buffer(), at, from, to);
        Shape before = x.shape();
        return Ops.note(
                "slice",
                x.view(out, before.with(at, to - from)),
                tensors(x),
                tensors(),
                pass -> pass.give(0, () -> {
                    Tensor g = pass.gradient();
                    List<Tensor> parts = new ArrayList<>();
                    if (from > 0) {
                        parts.add(zeros(g, before.with(at, from)));
                    }
                    parts.add(g);
                    if (to < size) {
                        parts.add(zeros(g, before.with(at, size - to)));
                    }
                    return concat(parts, at);
                }));
    }

    static List<Tensor> split(Tensor x, int axis, int... sizes) {
        int at = x.shape().axis(axis);
        Ops.check(
                Arrays.stream(sizes).sum() == x.shape().dim(at),
                "split",
                () -> "sizes " + Arrays.toString(sizes) + " do not add up to axis " + at + " of shape " + x.shape());
        Kernels kernels = Ops.kernels("split", x);
        List<Tensor> parts = new ArrayList<>();
        int from = 0;
        for (int size : sizes) {
            Buffer part = kernels.slice(x.buffer(), at, from, from + size);
            parts.add(x.view(part, x.shape().with(at, size)));
            from += size;
        }
        List<Shape> shapes = parts.stream().map(Tensor::shape).toList();
        return Ops.noteAll(
                "split",
                parts,
                tensors(x),
                tensors(),
                pass -> pass.give(0, () -> {
                    int known = 0;
                    while (!pass.hasGradient(known)) {
                        known++;
                    }
                    List<Tensor> gradients = new ArrayList<>();
                    for (int i = 0; i < sizes.length; i++) {
                        gradients.add(
                                pass.hasGradient(i) ? pass.gradient(i) : zeros(pass.gradient(known), shapes.get(i)));
                    }
                    return concat(gradients, at);
                }));
    }

    static Tensor concat(List<Tensor> parts, int axis) {
        Ops.check(!parts.isEmpty(), "concat", () -> "there is nothing to join");
        Tensor first = parts.get(0);
        if (parts.size() == 1) {
            return first;
        }
        int at = first.shape().axis(axis);
        int[] sizes = new int[parts.size()];
        for (int i = 0; i < sizes.length; i++) {
            Shape shape = parts.get(i).shape();
            Ops.check(
                    shape.rank() == first.shape().rank()
                            && shape.without(at).equals(first.shape().without(at)),
                    "concat",
                    () -> "shapes " + first.shape() + " and " + shape + " differ outside axis " + at);
            sizes[i] = shape.dim(at);
        }
        Tensor[] inputs = parts.toArray(Tensor[]::new);
        Buffer out = Ops.kernels("concat", first, inputs)
                .concat(parts.stream().map(Tensor::buffer).toList(), at);
        Shape shape = first.shape().with(at, Arrays.stream(sizes).sum());
        return Ops.result("concat", out, shape, first.dtype(), inputs, tensors(), pass -> {
            int from = 0;
            for (int i = 0; i < sizes.length; i++) {
                int begin = from;
                int end = from + sizes[i];
                pass.give(i, () -> slice(pass.gradient(), at, begin, end));
                from = end;
            }
        });
    }

    static Tensor gather(Tensor x, Index index) {
        checkIndex("gather", index, x.shape().dim(0));
        int rows = x.shape().dim(0);
        Buffer out = Ops.kernels("gather", x).gather(x.buffer(), index);
        return Ops.result(
                "gather",
                out,
                x.shape().with(0, index.size()),
                x.dtype(),
                tensors(x),
                tensors(),
                pass -> pass.give(0, () -> pass.gradient().scatterAdd(index, rows)));
    }

    static Tensor scatterAdd(Tensor x, Index index, int rows) {
        checkIndex("scatterAdd", index, rows);
        Ops.check(
                index.size() == x.shape().dim(0),
                "scatterAdd",
                () -> index.size() + " numbers were given for shape " + x.shape());
        Buffer out = Ops.kernels("scatterAdd", x).scatterAdd(x.buffer(), index, rows);
        return Ops.result(
                "scatterAdd",
                out,
                x.shape().with(0, rows),
                x.dtype(),
                tensors(x),
                tensors(),
                pass -> pass.give(0, () -> pass.gradient().gather(index)));
    }

    static Tensor addAt(Tensor x, Index index, Tensor delta) {
        checkIndex("addAt", index, x.shape().dim(0));
        Ops.check(
                Arrays.stream(index.values()).distinct().count() == index.size(),
                "addAt",
                () -> "a number is given twice");
        Ops.checkShape("addAt", "delta", delta, x.shape().with(0, index.size()));
        Buffer out = Ops.kernels("addAt", x, delta).addAt(x.buffer(), index, delta.buffer());
        return Ops.result("addAt", out, x.shape(), x.dtype(), tensors(x, delta), tensors(), pass -> {
            pass.give(0, pass::gradient);
            pass.give(1, () -> pass.gradient().gather(index));
        });
    }

    static Tensor repeat(Tensor x, Segments segments, double fill) {
        Ops.check(
                x.shape().dim(0) == segments.slotCount(),
                "repeat",
                () -> "expected one row for each of " + segments.slotCount() + " slots, found shape " + x.shape());
        if (!segments.hasGaps()) {
            return gather(x, segments.slotOfToken());
        }
        // Places without a slot read one more row, which holds the neutral value.
        Shape row = x.shape().with(0, 1);
        Tensor neutral = x.session().tensor(HostTensor.filled(row, (float) fill), x.dtype());
        return gather(concat(List.of(x, neutral), 0), segments.slotOfToken());
    }

    static Tensor segmentReduce(Tensor x, Segments segments, Reduction reduction) {
        Ops.check(
                segments.total() == x.shape().dim(0),
                "segmentReduce",
                () -> "segments cover " + segments.total() + " places, shape is " + x.shape());
        Buffer out = Ops.kernels("segmentReduce", x).segmentReduce(x.buffer(), segments, reduction);
        Tensor result = x.session().own(out, x.shape().with(0, segments.count()), x.dtype());
        Tensor[] saved = reduction == Reduction.MAX ? tensors(x, result) : tensors();
        return Ops.note(
                "segmentReduce",
                result,
                tensors(x),
                saved,
                pass -> pass.give(0, () -> {
                    Segments each = segments.withOwnSlots();
                    Tensor g = pass.gradient();
                    return switch (reduction) {
                        case SUM -> g.repeat(each, 0);
                        case MEAN -> g.dividedBy(lengths(g, each)).repeat(each, 0);
                        case MAX -> maxGradient(g, pass.saved(0), pass.saved(1), each);
                    };
                }));
    }

    /** Ties share the gradient alike. */
    private static Tensor maxGradient(Tensor g, Tensor x, Tensor max, Segments each) {
        Tensor mask = x.equalMask(max.repeat(each, 0));
        Tensor share = g.dividedBy(mask.segmentReduce(each, Reduction.SUM));
        return mask.times(share.repeat(each, 0));
    }

    /** How long each segment is, as a divisor: nobody reads an empty one's quotient. */
    private static Tensor lengths(Tensor like, Segments segments) {
        int[] ones = new int[like.shape().rank()];
        Arrays.fill(ones, 1);
        ones[0] = segments.count();
        float[] lengths = new float[segments.count()];
        for (int i = 0; i < lengths.length; i++) {
            lengths[i] = Math.max(1, segments.length(i));
        }
        return like.session().tensor(HostTensor.of(Shape.of(ones), lengths), like.dtype());
    }

    static Tensor cast(Tensor x, DType dtype) {
        if (dtype == x.dtype()) {
            return x;
        }
        DType before = x.dtype();
        Buffer out = Ops.kernels("cast", x).cast(x.buffer(), dtype);
        return Ops.result(
                "cast",
                out,
                x.shape(),
                dtype,
                tensors(x),
                tensors(),
                pass -> pass.give(0, () -> pass.gradient().cast(before)));
    }

    static Tensor sumTo(Tensor x, Shape shape) {
        if (x.shape().equals(shape)) {
            return x;
        }
        Buffer out = Ops.kernels("sumTo", x).sumTo(x.buffer(), shape);
        Shape before = x.shape();
        return Ops.result(
                "sumTo",
                out,
                shape,
                x.dtype(),
                tensors(x),
                tensors(),
                pass -> pass.give(0, () -> zeros(pass.gradient(), before).plus(pass.gradient())));
    }

    static Tensor sum(Tensor x, int axis) {
        int at = x.shape().axis(axis);
        Buffer out = Ops.kernels("sum", x).sum(x.buffer(), at);
        Shape before = x.shape();
        return Ops.result(
                "sum",
                out,
                before.without(at),
                x.dtype(),
                tensors(x),
                tensors(),
                pass -> pass.give(0, () -> spread(pass.gradient(), before, at)));
    }

    static Tensor max(Tensor x, int axis) {
        int at = x.shape().axis(axis);
        Tensor result = x.session()
                .own(Ops.kernels("max", x).max(x.buffer(), at), x.shape().without(at), x.dtype());
        Shape before = x.shape();
        return Ops.note(
                "max",
                result,
                tensors(x),
                tensors(x, result),
                pass -> pass.give(0, () -> {
                    Tensor mask = pass.saved(0).equalMask(spread(pass.saved(1), before, at));
                    return mask.times(spread(pass.gradient().dividedBy(mask.sum(at)), before, at));
                }));
    }

    static Tensor softmax(Tensor x) {
        Tensor y = x.session().own(Ops.kernels("softmax", x).softmax(x.buffer()), x.shape(), x.dtype());
        return Ops.note(
                "softmax",
                y,
                tensors(x),
                tensors(y),
                pass -> pass.give(0, () -> {
                    Tensor weighted = pass.gradient().times(pass.saved(0));
                    Tensor sum = weighted.sum(-1).reshape(weighted.shape().with(-1, 1));
                    return weighted.minus(pass.saved(0).times(sum));
                }));
    }

    /** Puts an axis that was reduced away back, with equal entries. */
    private static Tensor spread(Tensor x, Shape shape, int axis) {
        return zeros(x, shape).plus(x.reshape(shape.with(axis, 1)));
    }

    private static Tensor zeros(Tensor like, Shape shape) {
        return like.session().zeros(shape, like.dtype());
    }

    private static void checkIndex(String operation, Index index, int rows) {
        for (long i : index.values()) {
            if (i < 0 || i >= rows) {
                throw new IllegalArgumentException(operation + ": number " + i + " is not a row of " + rows);
            }
        }
    }
}
