package io.peftj.testkit.reference;

import org.jspecify.annotations.Nullable;

/** Norms over the last axis, rotary embedding, and their gradients. */
final class Norms {
    private Norms() {}

    /** A norm's result and its statistics of each place [leading axes, 1]; {@code mean} is 0 in an RMS norm. */
    record Normalised(Array result, Array mean, Array inverse) {}

    static Normalised rmsNorm(Array x, @Nullable Array weight, double eps) {
        return normalise(x, weight, null, eps, false);
    }

    static Normalised layerNorm(Array x, @Nullable Array weight, @Nullable Array bias, double eps) {
        return normalise(x, weight, bias, eps, true);
    }

    private static Normalised normalise(
            Array x, @Nullable Array weight, @Nullable Array bias, double eps, boolean centred) {
        int width = x.dim(-1);
        Array y = Array.zeros(x.shape());
        Array means = Array.zeros(x.shape().with(-1, 1));
        Array inverses = Array.zeros(x.shape().with(-1, 1));
        for (int place = 0; place < means.size(); place++) {
            double mean = 0;
            for (int i = 0; centred && i < width; i++) {
                mean += x.values()[place * width + i] / width;
            }
            double variance = 0;
            for (int i = 0; i < width; i++) {
                double distance = x.values()[place * width + i] - mean;
                variance += distance * distance / width;
            }
            double inverse = 1 / Math.sqrt(variance + eps);
            for (int i = 0; i < width; i++) {
                double normal = (x.values()[place * width + i] - mean) * inverse;
                double scaled = weight == null ? normal : normal * weight.values()[i];
                y.values()[place * width + i] = bias == null ? scaled : scaled + bias.values()[i];
            }
            means.values()[place] = mean;
            inverses.values()[place] = inverse;
        }
        return new Normalised(y, means, inverses);
    }

    /**
     * With n = (x − mean) · inverse and h = g ⊙ weight: dx = inverse · (h − mean(h ⊙ n) · n), and of a layer norm, which also subtracts the mean,
     * less inverse · mean(h).
     *
     * @param mean of a layer norm; null for an RMS norm
     */
    static Array backward(Array g, Array x, @Nullable Array weight, @Nullable Array mean, Array inverse) {
        int width = x.dim(-1);
        Array dx = Array.zeros(x.shape());
        double[] n = new double[width];
        double[] h = new double[width];
        for (int place = 0; place < inverse.size(); place++) {
            double scale = inverse.values()[place];
            double meanOfProduct = 0;
            double meanOfH = 0;
            for (int i = 0; i < width; i++) {
                int at = place * width + i;
                n[i] = (x.values()[at] - (mean == null ? 0 : mean.values()[place])) * scale;
                h[i] = g.values()[at] * (weight == null ? 1 : weight.values()[i]);
                meanOfProduct += h[i] * n[i] / width;
                meanOfH += h[i] / width;
            }
            for (int i = 0; i < width; i++) {
                double centred = mean == null ? h[i] : h[i] - meanOfH;
                dx.values()[place * width + i] = scale * (centred - meanOfProduct * n[i]);
            }
        }
        return dx;
    }

    /** (x₁, x₂) → (x₁·cos − x₂·sin, x₂·cos + x₁·sin) for the halves of each head; the inverse turns the other way. */
    static Array rotary(Array x, Array cos, Array sin, boolean inverse) {
        int heads = x.dim(1);
        int half = x.dim(2) / 2;
        Array y = Array.zeros(x.shape());
        for (int token = 0; token < x.dim(0); token++) {
            for (int head = 0; head < heads; head++) {
                int first = (token * heads + head) * 2 * half;
                for (int i = first; i < first + half; i++) {
                    double c = cos.values()[token * half + i - first];
                    double s = sin.values()[token * half + i - first] * (inverse ? -1 : 1);
                    double x1 = x.values()[i];
                    double x2 = x.values()[i + half];
                    y.values()[i] = x1 * c - x2 * s;
                    y.values()[i + half] = x2 * c + x1 * s;
                }
            }
        }
        return y;
    }
}
