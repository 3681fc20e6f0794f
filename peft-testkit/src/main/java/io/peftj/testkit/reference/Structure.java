package io.peftj.testkit.reference;

import io.peftj.core.tensor.Index;
import io.peftj.core.tensor.Kernels.Reduction;
import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Shape;
import java.util.List;

/** What moves values about, and reductions over an axis or a segment. */
final class Structure {
    private Structure() {}

    static Array permute(Array x, int... axes) {
        int rank = axes.length;
        int[] dims = new int[rank];
        int[] strides = new int[rank];
        for (int i = 0; i < rank; i++) {
            dims[i] = x.dim(axes[i]);
            strides[i] = x.inner(axes[i]);
        }
        Array y = Array.zeros(dims);
        for (int i = 0; i < y.size(); i++) {
            int rest = i;
            int source = 0;
            for (int axis = rank - 1; axis >= 0; axis--) {
                source += rest % dims[axis] * strides[axis];
                rest /= dims[axis];
            }
            y.values()[i] = x.values()[source];
        }
        return y;
    }

    static Array slice(Array x, int axis, int from, int to) {
        Array y = Array.zeros(x.shape().with(axis, to - from));
        copyBlock(x, from, y, 0, to - from, axis);
        return y;
    }

    static Array concat(List<Array> parts, int axis) {
        int total = parts.stream().mapToInt(part -> part.dim(axis)).sum();
        Array y = Array.zeros(parts.get(0).shape().with(axis, total));
        int at = 0;
        for (Array part : parts) {
            copyBlock(part, 0, y, at, part.dim(axis), axis);
            at += part.dim(axis);
        }
        return y;
    }

    /** Copies entries of an axis from a place in one array to a place in another that differs in that axis only. */
    private static void copyBlock(Array from, int fromEntry, Array to, int toEntry, int entries, int axis) {
        int inner = from.inner(axis);
        for (int outer = 0; outer < from.outer(axis); outer++) {
            int source = (outer * from.dim(axis) + fromEntry) * inner;
            int target = (outer * to.dim(axis) + toEntry) * inner;
            System.arraycopy(from.values(), source, to.values(), target, entries * inner);
        }
    }

    static Array gather(Array x, Index index) {
        Array y = Array.zeros(x.shape().with(0, index.size()));
        for (int i = 0; i < index.size(); i++) {
            addRow(x, (int) index.get(i), y, i);
        }
        return y;
    }

    static Array scatterAdd(Array x, Index index, int rows) {
        Array y = Array.zeros(x.shape().with(0, rows));
        for (int i = 0; i < index.size(); i++) {
            addRow(x, i, y, (int) index.get(i));
        }
        return y;
    }

    static Array addAt(Array x, Index index, Array delta) {
        Array y = new Array(x.shape(), x.values().clone());
        for (int i = 0; i < index.size(); i++) {
            addRow(delta, i, y, (int) index.get(i));
        }
        return y;
    }

    private static void addRow(Array from, int fromRow, Array to, int toRow) {
        int width = from.inner(0);
        for (int i = 0; i < width; i++) {
            to.values()[toRow * width + i] += from.values()[fromRow * width + i];
        }
    }

    static Array segmentReduce(Array x, Segments segments, Reduction reduction) {
        int width = x.inner(0);
        Array y = Array.zeros(x.shape().with(0, segments.count()));
        for (int s = 0; s < segments.count(); s++) {
            Array part = slice(x, 0, segments.offset(s), segments.offset(s + 1));
            if (segments.length(s) > 0) {
                Array one = switch (reduction) {
                    case SUM -> sum(part, 0);
                    case MEAN -> Elementwise.map(sum(part, 0), total -> total / part.dim(0));
                    case MAX -> max(part, 0);
                };
                System.arraycopy(one.values(), 0, y.values(), s * width, width);
            }
        }
        return y;
    }

    static Array sum(Array x, int axis) {
        return fold(x, axis, 0, Double::sum);
    }

    static Array max(Array x, int axis) {
        return fold(x, axis, Double.NEGATIVE_INFINITY, Math::max);
    }

    private static Array fold(Array x, int axis, double start, java.util.function.DoubleBinaryOperator step) {
        int inner = x.inner(axis);
        int size = x.dim(axis);
        Shape shape = x.shape().without(axis);
        Array y = Array.zeros(shape);
        for (int i = 0; i < y.size(); i++) {
            int first = i / inner * size * inner + i % inner;
            double result = start;
            for (int entry = 0; entry < size; entry++) {
                result = step.applyAsDouble(result, x.values()[first + entry * inner]);
            }
            y.values()[i] = result;
        }
        return y;
    }

    static Array softmax(Array x) {
        int width = x.dim(-1);
        Array y = Array.zeros(x.shape());
        for (int first = 0; first < x.size(); first += width) {
            double logSum = logSumExp(x.values(), first, width);
            for (int i = first; i < first + width; i++) {
                y.values()[i] = Math.exp(x.values()[i] - logSum);
            }
        }
        return y;
    }

    /** log Σ eˣ of some neighbours, without overflow; −∞ of none. */
    static double logSumExp(double[] values, int first, int count) {
        double greatest = Double.NEGATIVE_INFINITY;
        for (int i = first; i < first + count; i++) {
            greatest = Math.max(greatest, values[i]);
        }
        double sum = 0;
        for (int i = first; i < first + count; i++) {
            sum += Math.exp(values[i] - greatest);
        }
        return greatest + Math.log(sum);
    }
}
