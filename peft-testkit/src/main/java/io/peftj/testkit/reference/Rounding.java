package io.peftj.testkit.reference;

import io.peftj.core.tensor.DType;

/** What a value loses where it is stored in a format of fewer bits than a double. */
final class Rounding {
    private Rounding() {}

    static double round(double value, DType dtype) {
        return switch (dtype) {
            case F64 -> value;
            case F32 -> (float) value;
            case BF16 -> toBf16((float) value);
        };
    }

    /** The nearest number with eight bits of significand, ties to even. */
    private static float toBf16(float value) {
        if (Float.isNaN(value)) {
            return value;
        }
        int bits = Float.floatToRawIntBits(value);
        int lastKept = (bits >>> 16) & 1;
        return Float.intBitsToFloat((bits + 0x7FFF + lastKept) & 0xFFFF0000);
    }
}
