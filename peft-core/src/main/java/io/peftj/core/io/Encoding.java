package io.peftj.core.io;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** Elements into little-endian bytes: one buffer below 2 GiB, several of at most 1 GiB above. */
final class Encoding {
    private static final int PART_BYTES = 1 << 30;

    private Encoding() {}

    static List<ByteBuffer> f32(float[] values) {
        return encode(values.length, Float.BYTES, (into, i) -> into.putFloat(values[i]));
    }

    static List<ByteBuffer> bf16(float[] values) {
        return encode(values.length, Short.BYTES, (into, i) -> into.putShort(SmallFloats.toBf16(values[i])));
    }

    static List<ByteBuffer> f16(float[] values) {
        return encode(values.length, Short.BYTES, (into, i) -> into.putShort(SmallFloats.toF16(values[i])));
    }

    static List<ByteBuffer> f64(float[] values) {
        return encode(values.length, Double.BYTES, (into, i) -> into.putDouble(values[i]));
    }

    static List<ByteBuffer> i64(long[] values) {
        return encode(values.length, Long.BYTES, (into, i) -> into.putLong(values[i]));
    }

    private interface Element {
        void put(ByteBuffer into, int index);
    }

    private static List<ByteBuffer> encode(int count, int elementBytes, Element element) {
        int perPart = (long) count * elementBytes <= Integer.MAX_VALUE ? count : PART_BYTES / elementBytes;
        List<ByteBuffer> parts = new ArrayList<>();
        int done = 0;
        do {
            int end = (int) Math.min(count, (long) done + perPart);
            ByteBuffer part = ByteBuffer.allocate((end - done) * elementBytes).order(ByteOrder.LITTLE_ENDIAN);
            for (int i = done; i < end; i++) {
                element.put(part, i);
            }
            // asReadOnlyBuffer starts out big-endian whatever the original's order.
            parts.add(part.flip().asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN));
            done = end;
        } while (done < count);
        return parts;
    }
}
