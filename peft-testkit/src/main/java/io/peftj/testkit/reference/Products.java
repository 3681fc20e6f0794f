package io.peftj.testkit.reference;

import io.peftj.core.tensor.Dropout;
import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Shape;
import org.jspecify.annotations.Nullable;

/** Matrix products, dense and grouped by segment. */
final class Products {
    private Products() {}

    /** x [tokens, in] · Wᵀ + bias, W [out, in]. */
    static Array linear(Array x, Array weight, @Nullable Array bias) {
        Array y = Array.zeros(x.dim(0), weight.dim(0));
        multiply(x, weight, 0, 0, x.dim(0), y);
        if (bias != null) {
            for (int i = 0; i < y.size(); i++) {
                y.values()[i] += bias.values()[i % bias.size()];
            }
        }
        return y;
    }

    /** g [tokens, out] · W. */
    static Array linearTransposed(Array g, Array weight) {
        Array y = Array.zeros(g.dim(0), weight.dim(1));
        multiplyTransposed(g, weight, 0, 0, g.dim(0), y);
        return y;
    }

    static Array groupedLinear(Array x, Array p, @Nullable Segments segments) {
        Array y = Array.zeros(x.dim(0), p.dim(-2));
        forEachGroup(x.dim(0), segments, (slot, begin, end) -> multiply(x, p, slot, begin, end, y));
        return y;
    }

    static Array groupedLinearTransposed(Array g, Array p, @Nullable Segments segments) {
        Array y = Array.zeros(g.dim(0), p.dim(-1));
        forEachGroup(g.dim(0), segments, (slot, begin, end) -> multiplyTransposed(g, p, slot, begin, end, y));
        return y;
    }

    static Array groupedOuter(Array g, Array x, @Nullable Segments segments) {
        Shape matrix = Shape.of(g.dim(1), x.dim(1));
        Array y = Array.zeros(segments == null ? matrix : Shape.of(segments.slotCount(), matrix.dim(0), matrix.dim(1)));
        forEachGroup(g.dim(0), segments, (slot, begin, end) -> addOuter(g, x, slot, begin, end, y));
        return y;
    }

    /** [m, k] · [k, n], or as many such products as the leading axis says. */
    static Array matmul(Array a, Array b) {
        int m = a.dim(-2);
        int k = a.dim(-1);
        int n = b.dim(-1);
        Array y = Array.zeros(a.shape().with(-1, n));
        int batches = a.shape().rank() == 3 ? a.dim(0) : 1;
        for (int batch = 0; batch < batches; batch++) {
            for (int row = 0; row < m; row++) {
                for (int column = 0; column < n; column++) {
                    double sum = 0;
                    for (int i = 0; i < k; i++) {
                        sum += a.values()[(batch * m + row) * k + i] * b.values()[(batch * k + i) * n + column];
                    }
                    y.values()[(batch * m + row) * n + column] = sum;
                }
            }
        }
        return y;
    }

    /**
     * X = L·R with orthonormal rows of R.
     *
     * @param rows R [r, d]
     * @param inverse L⁻¹ [r, r], lower triangular
     */
    record Orthonormal(Array rows, Array inverse) {}

    /** By Gram and Schmidt, each row twice; row i of L⁻¹ says how row i of R is made of X's, and so is made alike. */
    static Orthonormal orthonormalRows(Array x) {
        int r = x.dim(0);
        int d = x.dim(1);
        Array rows = Array.zeros(r, d);
        Array inverse = Array.zeros(r, r);
        for (int i = 0; i < r; i++) {
            System.arraycopy(x.values(), i * d, rows.values(), i * d, d);
            inverse.values()[i * r + i] = 1;
            for (int twice = 0; twice < 2; twice++) {
                for (int j = 0; j < i; j++) {
                    double along = dot(rows, i, j, d);
                    addRow(rows, i, j, d, -along);
                    addRow(inverse, i, j, r, -along);
                }
            }
            double norm = Math.sqrt(dot(rows, i, i, d));
            addRow(rows, i, i, d, 1 / norm - 1);
            addRow(inverse, i, i, r, 1 / norm - 1);
        }
        return new Orthonormal(rows, inverse);
    }

    private static double dot(Array a, int i, int j, int width) {
        double sum = 0;
        for (int k = 0; k < width; k++) {
            sum += a.values()[i * width + k] * a.values()[j * width + k];
        }
        return sum;
    }

    private static void addRow(Array a, int to, int from, int width, double factor) {
        for (int k = 0; k < width; k++) {
            a.values()[to * width + k] += factor * a.values()[from * width + k];
        }
    }

    /**
     * What LoRA adds, and what its gradients need.
     *
     * @param delta dropout(x) · Aᵀ · Bᵀ
     * @param low dropout(x) · Aᵀ
     */
    record LowRank(Array delta, Array low) {}

    static LowRank lowRankDelta(Array x, Array a, Array b, @Nullable Segments segments, @Nullable Dropout dropout) {
        Array low = groupedLinear(dropped(x, dropout), a, segments);
        return new LowRank(groupedLinear(low, b, segments), low);
    }

    /** The gradients of {@link #lowRankDelta}. */
    record LowRankGradients(Array a, Array b, Array x) {}

    static LowRankGradients lowRankDeltaBackward(
            Array g, Array x, Array a, Array b, Array low, @Nullable Segments segments, @Nullable Dropout dropout) {
        Array gradientOfLow = groupedLinearTransposed(g, b, segments);
        Array gradientOfB = groupedOuter(g, low, segments);
        Array gradientOfA = groupedOuter(gradientOfLow, dropped(x, dropout), segments);
        Array gradientOfDropped = groupedLinearTransposed(gradientOfLow, a, segments);
        return new LowRankGradients(gradientOfA, gradientOfB, dropped(gradientOfDropped, dropout));
    }

    /** Dropout scales or zeroes each element, so its gradient is the same function. */
    private static Array dropped(Array x, @Nullable Dropout dropout) {
        return dropout == null ? x : Elementwise.dropout(x, dropout);
    }

    /** What happens to the tokens [begin, end) with the matrix in a slot. */
    private interface Group {
        void on(int slot, int begin, int end);
    }

    private static void forEachGroup(int tokens, @Nullable Segments segments, Group group) {
        if (segments == null) {
            group.on(0, 0, tokens);
            return;
        }
        for (int s = 0; s < segments.count(); s++) {
            if (segments.slot(s) != Segments.NONE) {
                group.on(segments.slot(s), segments.offset(s), segments.offset(s + 1));
            }
        }
    }

    /** Rows [begin, end) of y = x · P[slot]ᵀ, P […, out, in]. */
    private static void multiply(Array x, Array p, int slot, int begin, int end, Array y) {
        int out = p.dim(-2);
        int in = p.dim(-1);
        for (int token = begin; token < end; token++) {
            for (int row = 0; row < out; row++) {
                double sum = 0;
                for (int i = 0; i < in; i++) {
                    sum += x.values()[token * in + i] * p.values()[(slot * out + row) * in + i];
                }
                y.values()[token * out + row] = sum;
            }
        }
    }

    /** Rows [begin, end) of y = g · P[slot], P […, out, in]. */
    private static void multiplyTransposed(Array g, Array p, int slot, int begin, int end, Array y) {
        int out = p.dim(-2);
        int in = p.dim(-1);
        for (int token = begin; token < end; token++) {
            for (int row = 0; row < out; row++) {
                for (int i = 0; i < in; i++) {
                    y.values()[token * in + i] +=
                            g.values()[token * out + row] * p.values()[(slot * out + row) * in + i];
                }
            }
        }
    }

    /** Adds Σ g(token) ⊗ x(token) over tokens [begin, end) to y[slot]. */
    private static void addOuter(Array g, Array x, int slot, int begin, int end, Array y) {
        int out = g.dim(1);
        int in = x.dim(1);
        for (int token = begin; token < end; token++) {
            for (int row = 0; row < out; row++) {
                for (int i = 0; i < in; i++) {
                    y.values()[(slot * out + row) * in + i] +=
                            g.values()[token * out + row] * x.values()[token * in + i];
                }
            }
        }
    }
}
