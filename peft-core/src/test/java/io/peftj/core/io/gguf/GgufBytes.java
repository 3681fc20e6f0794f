package io.peftj.core.io.gguf;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Writes small GGUF files, wrong ones too. */
public final class GgufBytes {
    private static final int ALIGNMENT = 32;

    private final List<byte[]> keys = new ArrayList<>();
    private final List<byte[]> tensors = new ArrayList<>();
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();
    private int version = 3;
    private int alignment = ALIGNMENT;
    private long moreTensors;
    private long moreKeys;

    /** A file of another version. */
    public GgufBytes version(int other) {
        version = other;
        return this;
    }

    /** Says that there are more tensors and keys than there are. */
    public GgufBytes counts(long surplusTensors, long surplusKeys) {
        moreTensors = surplusTensors;
        moreKeys = surplusKeys;
        return this;
    }

    /** Writes general.alignment, and lays tensors out by it. */
    public GgufBytes alignment(int bytes) {
        alignment = bytes;
        return key("general.alignment", bytes);
    }

    /** A value of the metadata: a text, an Integer (unsigned 32 bits), a Float, a Boolean, or a list of texts, Integers (signed) or Floats. */
    public GgufBytes key(String name, Object value) {
        Bytes bytes = new Bytes().string(name);
        if (value instanceof List<?> list) {
            Object first = list.get(0);
            bytes.u32(9).u32(first instanceof Integer ? 5 : type(first)).u64(list.size());
            list.forEach(bytes::value);
        } else {
            bytes.u32(type(value)).value(value);
        }
        return rawKey(bytes.toArray());
    }

    /** A key with its value as they stand in the file. */
    public GgufBytes rawKey(byte[] keyAndValue) {
        keys.add(keyAndValue);
        return this;
    }

    /** A single-precision tensor, with sizes as elsewhere: outermost first. */
    public GgufBytes f32(String name, float[] values, long... dims) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return tensor(name, 0, aligned(data.size()), bytes.array(), dims);
    }

    /** A tensor of ggml's number of a type, said to lie at an offset. */
    public GgufBytes tensor(String name, int type, long offset, byte[] bytes, long... dims) {
        Bytes description = new Bytes().string(name).u32(dims.length);
        for (int i = dims.length - 1; i >= 0; i--) {
            description.u64(dims[i]);
        }
        tensors.add(description.u32(type).u64(offset).toArray());
        pad(data);
        data.writeBytes(bytes);
        return this;
    }

    /** The file, its last tensor not filled up. */
    public byte[] toArray() {
        Bytes header = new Bytes()
                .bytes("GGUF".getBytes(StandardCharsets.US_ASCII))
                .u32(version)
                .u64(tensors.size() + moreTensors)
                .u64(keys.size() + moreKeys);
        keys.forEach(header::bytes);
        tensors.forEach(header::bytes);
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes(header.toArray());
        if (data.size() > 0) {
            pad(file);
        }
        file.writeBytes(data.toByteArray());
        return file.toByteArray();
    }

    private void pad(ByteArrayOutputStream out) {
        out.writeBytes(new byte[(int) (aligned(out.size()) - out.size())]);
    }

    private long aligned(long offset) {
        return (offset + alignment - 1) / alignment * alignment;
    }

    private static int type(Object value) {
        if (value instanceof String) {
            return 8;
        }
        if (value instanceof Boolean) {
            return 7;
        }
        return value instanceof Float ? 6 : 4;
    }

    /** Little-endian numbers and strings. */
    static final class Bytes {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Bytes u32(int value) {
            return bytes(ByteBuffer.allocate(4)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(value)
                    .array());
        }

        Bytes u64(long value) {
            return bytes(ByteBuffer.allocate(8)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(value)
                    .array());
        }

        Bytes string(String text) {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            return u64(utf8.length).bytes(utf8);
        }

        Bytes value(Object value) {
            if (value instanceof String text) {
                return string(text);
            }
            if (value instanceof Boolean truth) {
                return bytes(new byte[] {(byte) (truth ? 1 : 0)});
            }
            return u32(value instanceof Float number ? Float.floatToRawIntBits(number) : (Integer) value);
        }

        Bytes bytes(byte[] some) {
            out.writeBytes(some);
            return this;
        }

        byte[] toArray() {
            return out.toByteArray();
        }
    }
}
