package io.peftj.djl.engine;

import io.peftj.core.tensor.Shape;
import org.jspecify.annotations.Nullable;

/** How far apart neighbours along each axis lie, in elements; libtorch's rules for what can be viewed without a copy. */
final class Strides {
    private Strides() {}

    /** The strides of values without gaps, row-major. */
    static long[] contiguous(Shape shape) {
        long[] strides = new long[shape.rank()];
        long stride = 1;
        for (int axis = shape.rank() - 1; axis >= 0; axis--) {
            strides[axis] = stride;
            stride *= Math.max(1, shape.dim(axis));
        }
        return strides;
    }

    /** Whether values lie row-major without gaps; axes of one entry have no say. */
    static boolean areContiguous(Shape shape, long[] strides) {
        return shape.size() == 0 || same(shape, strides, contiguous(shape));
    }

    /** Whether values lie in row-major order with gaps at most: libtorch gives results of operations on such tensors without gaps. */
    static boolean areRowMajor(Shape shape, long[] strides) {
        for (int axis = 0; axis < shape.rank(); axis++) {
            if (strides[axis] <= 0 || (axis > 0 && strides[axis] > strides[axis - 1])) {
                return false;
            }
        }
        return true;
    }

    /** Whether two strides mean the same places; axes of one entry have no say. */
    static boolean same(Shape shape, long[] a, long[] b) {
        for (int axis = 0; axis < shape.rank(); axis++) {
            if (shape.dim(axis) > 1 && a[axis] != b[axis]) {
                return false;
            }
        }
        return true;
    }

    /** The strides under which the same places show as another shape of as many elements; null where only a copy can do that. */
    static long @Nullable [] reshape(Shape shape, long[] strides, Shape target) {
        if (shape.size() == 0) {
            return contiguous(target);
        }
        long[] result = new long[target.rank()];
        int to = target.rank() - 1;
        long base = strides.length == 0 ? 1 : strides[strides.length - 1];
        long block = 1;
        long filled = 1;
        for (int axis = shape.rank() - 1; axis >= 0; axis--) {
            block *= shape.dim(axis);
            boolean blockEnds = axis == 0 || (shape.dim(axis - 1) != 1 && strides[axis - 1] != block * base);
            if (blockEnds) {
                while (to >= 0 && (filled < block || target.dim(to) == 1)) {
                    result[to] = filled * base;
                    filled *= target.dim(to);
                    to--;
                }
                if (filled != block) {
                    return null;
                }
                if (axis > 0) {
                    base = strides[axis - 1];
                    block = 1;
                    filled = 1;
                }
            }
        }
        while (to >= 0) { // a scalar shown with axes of one entry
            result[to--] = 1;
        }
        return result;
    }
}
