package io.peftj.core.io.gguf;

import io.peftj.core.io.SmallFloats;
import java.nio.ByteBuffer;

/**
 * The values of blocks of quantised numbers, in the arithmetic of ggml's Python package (gguf.quants): single precision, in its order.
 *
 * <p>In the names of the fields d is a scale, m a minimum that is added or subtracted, q a quantised number, of which low bits (ql, qs) and high bits
 * (qh) may lie apart.
 */
final class Blocks {
    private Blocks() {}

    static void f32(ByteBuffer from, int at, float[] values, int into) {
        values[into] = from.getFloat(at);
    }

    static void f16(ByteBuffer from, int at, float[] values, int into) {
        values[into] = half(from, at);
    }

    static void bf16(ByteBuffer from, int at, float[] values, int into) {
        values[into] = Float.intBitsToFloat(from.getShort(at) << 16);
    }

    /** d, 32 q of 4 bits: d · (q − 8). */
    static void q4With0(ByteBuffer from, int at, float[] values, int into) {
        float d = half(from, at);
        for (int i = 0; i < 32; i++) {
            values[into + i] = d * (nibble(from, at + 2, i) - 8);
        }
    }

    /** d, m, 32 q of 4 bits: d · q + m. */
    static void q4With1(ByteBuffer from, int at, float[] values, int into) {
        float d = half(from, at);
        float m = half(from, at + 2);
        for (int i = 0; i < 32; i++) {
            values[into + i] = d * nibble(from, at + 4, i) + m;
        }
    }

    /** d, 32 fifth bits, 32 q of 4 bits: d · (q − 16). */
    static void q5With0(ByteBuffer from, int at, float[] values, int into) {
        float d = half(from, at);
        int high = from.getInt(at + 2);
        for (int i = 0; i < 32; i++) {
            int q = nibble(from, at + 6, i) | fifth(high, i);
            values[into + i] = d * (q - 16);
        }
    }

    /** d, m, 32 fifth bits, 32 q of 4 bits: d · q + m. */
    static void q5With1(ByteBuffer from, int at, float[] values, int into) {
        float d = half(from, at);
        float m = half(from, at + 2);
        int high = from.getInt(at + 4);
        for (int i = 0; i < 32; i++) {
            int q = nibble(from, at + 8, i) | fifth(high, i);
            values[into + i] = d * q + m;
        }
    }

    /** d, 32 q of 8 bits: d · q. */
    static void q8(ByteBuffer from, int at, float[] values, int into) {
        float d = half(from, at);
        for (int i = 0; i < 32; i++) {
            values[into + i] = from.get(at + 2 + i) * d;
        }
    }

    /** d, m, scales of 8 groups of 32, q of 4 bits: (d · scale) · q − m · minimum. */
    static void q4K(ByteBuffer from, int at, float[] values, int into) {
        for (int group = 0; group < 8; group++) {
            float d = half(from, at) * scale(from, at + 4, group);
            float m = half(from, at + 2) * minimum(from, at + 4, group);
            for (int i = 0; i < 32; i++) {
                values[into + 32 * group + i] = d * nibbleOfPair(from, at + 16, group, i) - m;
            }
        }
    }

    /** d, m, scales of 8 groups of 32, the fifth bits, q of 4 bits: (d · scale) · q − m · minimum. */
    static void q5K(ByteBuffer from, int at, float[] values, int into) {
        for (int group = 0; group < 8; group++) {
            float d = half(from, at) * scale(from, at + 4, group);
            float m = half(from, at + 2) * minimum(from, at + 4, group);
            for (int i = 0; i < 32; i++) {
                int high = (unsigned(from, at + 16 + i) >> group) & 1;
                int q = nibbleOfPair(from, at + 48, group, i) | (high << 4);
                values[into + 32 * group + i] = d * q - m;
            }
        }
    }

    /** 256 q of 4 bits, their upper 2 bits, 16 scales of 8 bits, d: (d · scale) · (q − 32). */
    static void q6K(ByteBuffer from, int at, float[] values, int into) {
        float d = half(from, at + 208);
        for (int i = 0; i < 256; i++) {
            // Two halves of 128 values; in each, 64 bytes hold the low bits of two runs of 64, 32 bytes the high bits
            // of four runs of 32.
            int part = i / 128;
            int run = i % 128;
            int low = (unsigned(from, at + 64 * part + run % 64) >> (4 * (run / 64))) & 0xF;
            int high = (unsigned(from, at + 128 + 32 * part + run % 32) >> (2 * (run / 32))) & 3;
            float scaled = d * from.get(at + 192 + i / 16);
            values[into + i] = scaled * ((low | (high << 4)) - 32);
        }
    }

    /** The i-th of 32 numbers of 4 bits: the low halves of 16 bytes first, then the high ones. */
    private static int nibble(ByteBuffer from, int at, int i) {
        return (unsigned(from, at + i % 16) >> (4 * (i / 16))) & 0xF;
    }

    /** The i-th number of a group of 32: 32 bytes hold two groups, the low halves the first. */
    private static int nibbleOfPair(ByteBuffer from, int at, int group, int i) {
        return (unsigned(from, at + 32 * (group / 2) + i) >> (4 * (group % 2))) & 0xF;
    }

    private static int fifth(int bits, int i) {
        return ((bits >>> i) & 1) << 4;
    }

    /** The scale of 6 bits of a group: those of the last four groups have their upper bits with the first four's. */
    private static int scale(ByteBuffer from, int at, int group) {
        return group < 4
                ? unsigned(from, at + group) & 0x3F
                : (unsigned(from, at + 4 + group) & 0xF) | ((unsigned(from, at + group - 4) >> 2) & 0x30);
    }

    /** The minimum of 6 bits of a group, packed like the scales. */
    private static int minimum(ByteBuffer from, int at, int group) {
        return group < 4
                ? unsigned(from, at + 4 + group) & 0x3F
                : (unsigned(from, at + 4 + group) >> 4) | ((unsigned(from, at + group) >> 2) & 0x30);
    }

    private static float half(ByteBuffer from, int at) {
        return SmallFloats.fromF16(from.getShort(at));
    }

    private static int unsigned(ByteBuffer from, int at) {
        return Byte.toUnsignedInt(from.get(at));
    }
}
