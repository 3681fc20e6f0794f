package io.peftj.djl.engine;

import io.peftj.core.tensor.Buffer;
import io.peftj.core.tensor.Index;
import io.peftj.core.tensor.Kernels.Reduction;
import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Shape;
import java.util.Arrays;
import java.util.List;

/** Operations that move values: views wherever libtorch can make one, so that fused projections are cut and joined without a copy. */
final class StructureKernels {
    private final TorchCalls calls;

    StructureKernels(TorchCalls calls) {
        this.calls = calls;
    }

    Buffer reshape(TorchBuffer x, Shape shape) {
        Form form = x.form().withShape(shape);
        long[] strides = Strides.reshape(x.form().shape(), calls.strides(x), shape);
        if (strides == null) {
            return calls.one("view_of_copy", form, x, longs(shape.dims()));
        }
        return calls.view("view", x, form, strides, x.offset(), x, longs(shape.dims()));
    }

    Buffer permute(TorchBuffer x, int... axes) {
        long[] before = calls.strides(x);
        int[] dims = new int[axes.length];
        long[] strides = new long[axes.length];
        for (int i = 0; i < axes.length; i++) {
            int axis = x.form().shape().axis(axes[i]);
            dims[i] = x.dim(axis);
            strides[i] = before[axis];
        }
        return calls.view("permute", x, x.form().withShape(Shape.of(dims)), strides, x.offset(), x, longs(axes));
    }

    Buffer slice(TorchBuffer x, int axis, int from, int to) {
        int at = x.form().shape().axis(axis);
        long[] strides = calls.strides(x);
        long offset = x.offset() + from * strides[at];
        return calls.view("slice", x, x.form().withDim(at, to - from), strides, offset, x, at, from, to);
    }

    Buffer concat(List<TorchBuffer> parts, int axis) {
        TorchBuffer first = parts.get(0);
        int at = first.form().shape().axis(axis);
        int size = parts.stream().mapToInt(part -> part.dim(at)).sum();
        Form form = first.form().withDim(at, size);
        if (areNeighbours(parts, at)) {
            long[] strides = calls.strides(first);
            return calls.view(
                    "stretch",
                    first,
                    form,
                    strides,
                    first.offset(),
                    first,
                    longs(form.shape().dims()),
                    strides);
        }
        return calls.one("concat", form, parts, at);
    }

    /** Whether the parts follow each other in one storage, as gradients of a fused projection's parts do: then the whole is there already. */
    private static boolean areNeighbours(List<TorchBuffer> parts, int axis) {
        TorchBuffer first = parts.get(0);
        long[] strides = first.knownStrides();
        if (strides == null) {
            return false;
        }
        long next = first.offset();
        for (TorchBuffer part : parts) {
            long[] own = part.knownStrides();
            if (part.storage() != first.storage()
                    || part.offset() != next
                    || own == null
                    || !Arrays.equals(own, strides)) {
                return false;
            }
            next += part.dim(axis) * strides[axis];
        }
        return true;
    }

    Buffer gather(TorchBuffer x, Index index) {
        return calls.one("gather", x.form().withDim(0, index.size()), x, index);
    }

    Buffer scatterAdd(TorchBuffer x, Index index, int rows) {
        return calls.one("scatter_add", x.form().withDim(0, rows), x, index, rows);
    }

    Buffer addAt(TorchBuffer x, Index index, TorchBuffer delta) {
        return calls.one("add_at", x.form(), x, index, delta);
    }

    Buffer segmentReduce(TorchBuffer x, Segments segments, Reduction reduction) {
        Form form = x.form().withDim(0, segments.count());
        if (segments.count() == 0) {
            return calls.one(
                    "zeros", form, longs(form.shape().dims()), form.type().code());
        }
        long[] offsets = new long[segments.count() + 1];
        Arrays.setAll(offsets, segments::offset);
        String kernel = switch (reduction) {
            case SUM -> "segment_sum";
            case MEAN -> "segment_mean";
            case MAX -> "segment_max";
        };
        return calls.one(kernel, form, x, offsets);
    }

    static long[] longs(int[] numbers) {
        long[] longs = new long[numbers.length];
        for (int i = 0; i < longs.length; i++) {
            longs[i] = numbers[i];
        }
        return longs;
    }
}
