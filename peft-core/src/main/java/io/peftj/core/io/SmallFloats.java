package io.peftj.core.io;

/** The two 16-bit floating-point formats, to and from single precision. */
public final class SmallFloats {
    private SmallFloats() {}

    /** The value of a bfloat16, exactly. */
    static float fromBf16(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    /** The bfloat16 nearest to a value, ties to even; a NaN stays one. */
    static short toBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            // Rounding could carry a NaN's fraction away and leave an infinity.
            return (short) ((bits >>> 16) | 0x40);
        }
        int half = 0x7FFF + ((bits >>> 16) & 1);
        return (short) ((bits + half) >>> 16);
    }

    /** The value of an IEEE half, exactly. Java has its own conversion from version 20 on. */
    public static float fromF16(short bits) {
        int exponent = (bits >>> 10) & 0x1F;
        int fraction = bits & 0x3FF;
        float magnitude = switch (exponent) {
            case 0 -> fraction * 0x1p-24f;
            case 0x1F -> fraction == 0 ? Float.POSITIVE_INFINITY : Float.NaN;
            default -> Float.intBitsToFloat(((exponent + 127 - 15) << 23) | (fraction << 13));
        };
        return bits < 0 ? -magnitude : magnitude;
    }
}
