package io.peftj.methods.pedro;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;

/**
 * Fits Σ aᵢxⁱ / (1 + |Σ bⱼxʲ|) to a function on [−3, 3] by least squares: where the starts of PEDRO's rational functions come from.
 *
 * <p>It begins with a numerator and denominator that are good at once up to a factor, and improves them by Levenberg and Marquardt's method.
 */
final class RationalFit {
    static final double BOUND = 3;
    private static final int POINTS = 601;
    private static final int STEPS = 4000;

    private final DoubleUnaryOperator function;
    private final int m;
    private final int n;

    private RationalFit(DoubleUnaryOperator function, int m, int n) {
        this.function = function;
        this.m = m;
        this.n = n;
    }

    /** Coefficients a₀ … a_m, b₁ … b_n. */
    static double[] fit(DoubleUnaryOperator function, int m, int n) {
        RationalFit fit = new RationalFit(function, m, n);
        double[] found = fit.improve(fit.linearised());
        if (m > 5) {
            // The best of lower degrees is another place to begin.
            double[] lower = fit(function, m - 1, n - 1);
            double[] padded = new double[m + 1 + n];
            System.arraycopy(lower, 0, padded, 0, m);
            System.arraycopy(lower, m, padded, m + 1, n - 1);
            double[] other = fit.improve(padded);
            return squaredError(function, other, m) < squaredError(function, found, m) ? other : found;
        }
        return found;
    }

    static double value(double[] c, int m, double x) {
        double numerator = 0;
        for (int i = m; i >= 0; i--) {
            numerator = numerator * x + c[i];
        }
        return numerator / (1 + Math.abs(inner(c, m, x)));
    }

    private static double inner(double[] c, int m, double x) {
        double sum = 0;
        for (int j = c.length - 1; j > m; j--) {
            sum = (sum + c[j]) * x;
        }
        return sum;
    }

    static double squaredError(DoubleUnaryOperator function, double[] c, int m) {
        return Arrays.stream(points())
                .map(x -> value(c, m, x) - function.applyAsDouble(x))
                .map(error -> error * error)
                .sum();
    }

    static double largestError(DoubleUnaryOperator function, double[] c, int m) {
        return Arrays.stream(points())
                .map(x -> Math.abs(value(c, m, x) - function.applyAsDouble(x)))
                .max()
                .orElseThrow();
    }

    private static double[] points() {
        double[] points = new double[POINTS];
        Arrays.setAll(points, i -> -BOUND + 2 * BOUND * i / (POINTS - 1));
        return points;
    }

    /** Σ aᵢxⁱ − f·Σ bⱼxʲ = f. */
    private double[] linearised() {
        double[][] rows = new double[POINTS][];
        double[] right = new double[POINTS];
        double[] points = points();
        for (int p = 0; p < POINTS; p++) {
            double x = points[p];
            double f = function.applyAsDouble(x);
            rows[p] = new double[m + 1 + n];
            for (int i = 0; i <= m; i++) {
                rows[p][i] = Math.pow(x, i);
            }
            for (int j = 1; j <= n; j++) {
                rows[p][m + j] = -f * Math.pow(x, j);
            }
            right[p] = f;
        }
        return solve(rows, right, 1e-9);
    }

    private double[] improve(double[] start) {
        double[] c = start;
        double damping = 1e-3;
        double error = squaredError(function, c, m);
        for (int step = 0; step < STEPS && damping < 1e12; step++) {
            double[] change = change(c, damping);
            double[] next = c.clone();
            Arrays.setAll(next, i -> next[i] + change[i]);
            double nextError = squaredError(function, next, m);
            if (nextError < error) {
                c = next;
                error = nextError;
                damping = Math.max(1e-14, damping / 3);
            } else {
                damping *= 4;
            }
        }
        return c;
    }

    private double[] change(double[] c, double damping) {
        double[][] rows = new double[POINTS][];
        double[] right = new double[POINTS];
        double[] points = points();
        for (int p = 0; p < POINTS; p++) {
            double x = points[p];
            double inner = inner(c, m, x);
            double q = 1 + Math.abs(inner);
            double y = value(c, m, x);
            rows[p] = new double[c.length];
            for (int i = 0; i <= m; i++) {
                rows[p][i] = Math.pow(x, i) / q;
            }
            for (int j = 1; j <= n; j++) {
                rows[p][m + j] = -y * Math.signum(inner) * Math.pow(x, j) / q;
            }
            right[p] = function.applyAsDouble(x) - y;
        }
        return solve(rows, right, damping);
    }

    /** The least squares solution, with the diagonal of the normal equations made larger by a part of itself. */
    private static double[] solve(double[][] rows, double[] right, double damping) {
        int k = rows[0].length;
        double[][] a = new double[k][k + 1];
        for (int p = 0; p < rows.length; p++) {
            for (int i = 0; i < k; i++) {
                for (int j = 0; j < k; j++) {
                    a[i][j] += rows[p][i] * rows[p][j];
                }
                a[i][k] += rows[p][i] * right[p];
            }
        }
        for (int i = 0; i < k; i++) {
            a[i][i] *= 1 + damping;
        }
        // Symmetric and positive definite: no pivots are needed.
        for (int i = 0; i < k; i++) {
            for (int row = i + 1; row < k; row++) {
                double factor = a[row][i] / a[i][i];
                for (int j = i; j <= k; j++) {
                    a[row][j] -= factor * a[i][j];
                }
            }
        }
        double[] solution = new double[k];
        for (int i = k - 1; i >= 0; i--) {
            double sum = a[i][k];
            for (int j = i + 1; j < k; j++) {
                sum -= a[i][j] * solution[j];
            }
            solution[i] = sum / a[i][i];
        }
        return solution;
    }
}
