package io.peftj.core.io;

import java.nio.ByteBuffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.ShortBuffer;

/** Elements out of little-endian bytes, a buffer at a time; each method returns how many it read. */
final class Decoding {
    private Decoding() {}

    static int toFloats(StoredType type, ByteBuffer bytes, float[] into, int at) {
        int count = bytes.remaining() / type.bytes();
        switch (type) {
            case F32 -> {
                FloatBuffer floats = bytes.asFloatBuffer();
                floats.get(into, at, count);
            }
            case F64 -> {
                DoubleBuffer doubles = bytes.asDoubleBuffer();
                for (int i = 0; i < count; i++) {
                    into[at + i] = (float) doubles.get(i);
                }
            }
            case F16 -> {
                ShortBuffer halves = bytes.asShortBuffer();
                for (int i = 0; i < count; i++) {
                    into[at + i] = SmallFloats.fromF16(halves.get(i));
                }
            }
            case BF16 -> {
                ShortBuffer halves = bytes.asShortBuffer();
                for (int i = 0; i < count; i++) {
                    into[at + i] = SmallFloats.fromBf16(halves.get(i));
                }
            }
            default -> throw new IllegalArgumentException(type + " is not a floating-point type");
        }
        return count;
    }

    static int toLongs(StoredType type, ByteBuffer bytes, long[] into, int at) {
        int count = bytes.remaining() / type.bytes();
        switch (type) {
            case I64 -> {
                LongBuffer longs = bytes.asLongBuffer();
                longs.get(into, at, count);
            }
            case I32 -> {
                IntBuffer ints = bytes.asIntBuffer();
                for (int i = 0; i < count; i++) {
                    into[at + i] = ints.get(i);
                }
            }
            case I16 -> {
                ShortBuffer shorts = bytes.asShortBuffer();
                for (int i = 0; i < count; i++) {
                    into[at + i] = shorts.get(i);
                }
            }
            case I8 -> {
                for (int i = 0; i < count; i++) {
                    into[at + i] = bytes.get(bytes.position() + i);
                }
            }
            case U8 -> {
                for (int i = 0; i < count; i++) {
                    into[at + i] = Byte.toUnsignedInt(bytes.get(bytes.position() + i));
                }
            }
            case BOOL -> {
                for (int i = 0; i < count; i++) {
                    into[at + i] = bytes.get(bytes.position() + i) == 0 ? 0 : 1;
                }
            }
            default -> throw new IllegalArgumentException(type + " is not an integer type");
        }
        return count;
    }
}
