package io.peftj.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;

/** Compares values with an error relative to the largest of them. */
final class Closeness {
    /** Gradients far smaller than an adapter's largest drown in rounding: they count relative to this part of it. */
    private static final double SMALLEST_PART = 1e-2;

    private Closeness() {}

    static void assertClose(String what, List<double[]> found, List<double[]> expected, double tolerance) {
        assertThat(found).as(what).hasSameSizeAs(expected);
        double scale = expected.stream().mapToDouble(Closeness::largest).max().orElse(0);
        for (int i = 0; i < expected.size(); i++) {
            assertClose(what + ", row " + i, found.get(i), expected.get(i), tolerance * scale);
        }
    }

    static void assertCloseGradients(
            String what, Map<String, double[]> found, Map<String, double[]> expected, double tolerance) {
        assertThat(found.keySet()).as(what).isEqualTo(expected.keySet());
        double scale =
                expected.values().stream().mapToDouble(Closeness::largest).max().orElse(0);
        expected.forEach((parameter, gradient) -> assertClose(
                what + ", gradient of " + parameter,
                Rows.of(found, parameter),
                gradient,
                tolerance * Math.max(largest(gradient), SMALLEST_PART * scale)));
    }

    private static void assertClose(String what, double[] found, double[] expected, double allowed) {
        assertThat(found).as(what).hasSameSizeAs(expected);
        for (int i = 0; i < expected.length; i++) {
            double error = Math.abs(found[i] - expected[i]);
            if (!(error <= allowed)) {
                throw new AssertionError(what + ", element " + i + ": expected " + expected[i] + ", found " + found[i]
                        + " (allowed error " + allowed + ")");
            }
        }
    }

    /** The mean absolute difference. */
    static double distance(List<double[]> a, List<double[]> b) {
        double sum = 0;
        int count = 0;
        for (int row = 0; row < a.size(); row++) {
            for (int i = 0; i < a.get(row).length; i++) {
                sum += Math.abs(a.get(row)[i] - b.get(row)[i]);
                count++;
            }
        }
        return sum / count;
    }

    static double largest(double[] values) {
        double largest = 0;
        for (double value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }
}
