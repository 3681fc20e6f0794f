package io.peftj.testkit.reference;

import io.peftj.core.tensor.Encoding;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Reads the floating-point numbers of files. */
final class Encodings {
    private Encodings() {}

    /** All numbers of a little-endian buffer; its position stays. */
    static double[] decode(ByteBuffer bytes, Encoding encoding) {
        ByteBuffer in = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        double[] values = new double[in.remaining() / encoding.bytes()];
        for (int i = 0; i < values.length; i++) {
            values[i] = switch (encoding) {
                case F32 -> in.getFloat();
                case BF16 -> Float.intBitsToFloat(in.getShort() << 16);
                case F16 -> half(in.getShort());
            };
        }
        return values;
    }

    /** IEEE half precision: one bit of sign, five of exponent, ten of fraction. */
    private static double half(short bits) {
        int exponent = (bits >> 10) & 0x1F;
        int fraction = bits & 0x3FF;
        double magnitude;
        if (exponent == 0x1F) {
            magnitude = fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
        } else if (exponent == 0) {
            magnitude = Math.scalb((double) fraction, -24);
        } else {
            magnitude = Math.scalb((double) (fraction | 0x400), exponent - 25);
        }
        return bits < 0 ? -magnitude : magnitude;
    }
}
