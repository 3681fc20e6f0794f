package io.peftj.testkit.reference;

import io.peftj.core.tensor.Buffer;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.MemoryMeter;

/** Where results become buffers: counts their memory and, if asked to, rounds them to their format. */
final class Store {
    private final MemoryMeter meter;
    private final boolean rounding;

    Store(MemoryMeter meter, boolean rounding) {
        this.meter = meter;
        this.rounding = rounding;
    }

    MemoryMeter meter() {
        return meter;
    }

    /** A new buffer of an array that nobody else holds. */
    ReferenceBuffer keep(Array array, DType dtype) {
        double[] values = array.values();
        for (int i = 0; i < values.length; i++) {
            values[i] = stored(values[i], dtype);
        }
        return new ReferenceBuffer(meter, array, dtype);
    }

    /** What a value becomes in a format. */
    double stored(double value, DType dtype) {
        return rounding ? Rounding.round(value, dtype) : value;
    }

    static ReferenceBuffer of(Buffer buffer) {
        if (buffer instanceof ReferenceBuffer known) {
            return known;
        }
        throw new IllegalArgumentException("the reference backend was given a "
                + buffer.getClass().getSimpleName() + ", which another backend made");
    }

    static double[] doubles(float[] values) {
        double[] wide = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            wide[i] = values[i];
        }
        return wide;
    }

    static float[] floats(double[] values) {
        float[] narrow = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            narrow[i] = (float) values[i];
        }
        return narrow;
    }
}
