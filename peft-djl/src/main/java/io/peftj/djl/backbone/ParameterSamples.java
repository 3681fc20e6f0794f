package io.peftj.djl.backbone;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.io.Fingerprint;
import io.peftj.core.site.Role;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import java.util.Arrays;

/**
 * Single values of a frozen matrix: rows of a table, or products with unit vectors, which are exact in every format. The whole of an embedding may not
 * fit into Java's heap.
 *
 * @param name the parameter's
 */
record ParameterSamples(Backbone base, BackboneSpec spec, String name, Weight matrix) {
    /** As files have it. */
    Fingerprint.Tensor tensor() {
        boolean turned = spec.isTransposedInFiles(name);
        int out = matrix.outFeatures();
        int in = matrix.inFeatures();
        return new Fingerprint.Tensor(turned ? Shape.of(in, out) : Shape.of(out, in), places -> {
            long[] rows = Arrays.stream(places)
                    .map(place -> turned ? place % out : place / in)
                    .toArray();
            long[] columns = Arrays.stream(places)
                    .map(place -> turned ? place / out : place % in)
                    .toArray();
            return isTable() ? ofTable(rows, columns) : ofProduct(rows, columns);
        });
    }

    private boolean isTable() {
        return spec.sites(Role.EMBEDDING).stream()
                        .anyMatch(site -> site.weightName().equals(name))
                || (spec.tied()
                        && spec.sites(Role.OUTPUT_EMBEDDING).stream()
                                .anyMatch(site -> site.weightName().equals(name)))
                || spec.sites().stream().noneMatch(site -> site.weightName().equals(name));
    }

    private float[] ofTable(long[] rows, long... columns) {
        return base.call("sampled", session -> {
            double[] found = Tensor.rows(session, matrix, session.index(rows)).toDoubles();
            return at(found, matrix.inFeatures(), columns);
        });
    }

    private float[] ofProduct(long[] rows, long... columns) {
        int in = matrix.inFeatures();
        return base.call("sampled", session -> {
            double[] units = new double[columns.length * in];
            for (int i = 0; i < columns.length; i++) {
                units[i * in + (int) columns[i]] = 1;
            }
            Tensor x = session.tensor(units, Shape.of(columns.length, in)).cast(matrix.dtype());
            return at(x.linear(matrix, null).cast(DType.F32).toDoubles(), matrix.outFeatures(), rows);
        });
    }

    /** An element of each row. */
    private static float[] at(double[] rows, int width, long... places) {
        float[] found = new float[places.length];
        for (int i = 0; i < found.length; i++) {
            found[i] = (float) rows[i * width + (int) places[i]];
        }
        return found;
    }

    static float[] pick(float[] values, long... places) {
        float[] found = new float[places.length];
        for (int i = 0; i < found.length; i++) {
            found[i] = values[Math.toIntExact(places[i])];
        }
        return found;
    }
}
