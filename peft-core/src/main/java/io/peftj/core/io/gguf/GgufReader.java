package io.peftj.core.io.gguf;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonPrimitive;
import io.peftj.core.InvalidFileException;
import io.peftj.core.io.NearNames;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Numbers, strings and typed values one after another; nothing is read past the end, and nothing large is made of a small file. */
final class GgufReader {
    private static final int STRING = 8;
    private static final int ARRAY = 9;
    /** Metadata values that a file may hold, those of arrays included: a vocabulary of 256,000 tokens has a million. */
    private static final int MAX_VALUES = 4_000_000;

    private final ByteBuffer bytes;
    private final String source;
    private int values;

    GgufReader(ByteBuffer bytes, String source) {
        this.bytes = bytes.slice().order(ByteOrder.LITTLE_ENDIAN);
        this.source = source;
    }

    /** Bytes read so far. */
    int position() {
        return bytes.position();
    }

    int u32(String what) {
        return need(Integer.BYTES, what).getInt();
    }

    long u64(String what) {
        return need(Long.BYTES, what).getLong();
    }

    /**
     * A number of things that follow, each of which takes some bytes.
     *
     * @param most how many are allowed
     */
    int count(int most, int bytesOfOne, String what) {
        long count = u64("the number of " + what);
        if (count < 0 || count > Math.min(most, bytes.remaining() / bytesOfOne)) {
            throw error("at most " + most + " " + what + " that fit into the file", Long.toUnsignedString(count));
        }
        return (int) count;
    }

    String string(String what) {
        long length = u64("the length of " + what);
        if (length < 0 || length > bytes.remaining()) {
            throw error(
                    what + " to end inside the header",
                    "a length of " + Long.toUnsignedString(length) + " where " + bytes.remaining() + " bytes are left");
        }
        ByteBuffer utf8 = bytes.slice(bytes.position(), (int) length);
        bytes.position(bytes.position() + (int) length);
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(utf8).toString();
        } catch (CharacterCodingException e) {
            throw error(what + " in UTF-8", "other bytes");
        }
    }

    /** A typed value of the metadata. Floats of 32 bits get the value of their shortest decimal, so that 1e-5 is 1e-5. */
    JsonElement value(String key) {
        int type = u32("the type of " + key);
        return type == ARRAY ? array(key) : scalar(type, key);
    }

    private JsonArray array(String key) {
        int type = u32("the type of " + key + "'s elements");
        int count = count(MAX_VALUES, type == STRING ? Long.BYTES : 1, "elements of " + key);
        JsonArray array = new JsonArray(count);
        for (int i = 0; i < count; i++) {
            array.add(scalar(type, key));
        }
        return array;
    }

    private JsonPrimitive scalar(int type, String key) {
        if (++values > MAX_VALUES) {
            throw error("at most " + MAX_VALUES + " values in the metadata", "more");
        }
        return switch (type) {
            case 0 -> new JsonPrimitive(Byte.toUnsignedInt(need(Byte.BYTES, key).get()));
            case 1 -> new JsonPrimitive(need(Byte.BYTES, key).get());
            case 2 ->
                new JsonPrimitive(Short.toUnsignedInt(need(Short.BYTES, key).getShort()));
            case 3 -> new JsonPrimitive(need(Short.BYTES, key).getShort());
            case 4 -> new JsonPrimitive(Integer.toUnsignedLong(u32(key)));
            case 5 -> new JsonPrimitive(u32(key));
            case 6 ->
                new JsonPrimitive(
                        Double.valueOf(Float.toString(need(Float.BYTES, key).getFloat())));
            case 7 -> bool(key);
            case STRING -> new JsonPrimitive(string(key));
            case 10 -> new JsonPrimitive(new BigInteger(Long.toUnsignedString(u64(key))));
            case 11 -> new JsonPrimitive(u64(key));
            case 12 -> new JsonPrimitive(need(Double.BYTES, key).getDouble());
            default -> throw error("a type from 0 to 12 for " + key + ", in arrays none but 9", "type " + type);
        };
    }

    private JsonPrimitive bool(String key) {
        byte value = need(Byte.BYTES, key).get();
        if (value != 0 && value != 1) {
            throw error("0 or 1 for " + key, Integer.toString(value));
        }
        return new JsonPrimitive(value == 1);
    }

    private ByteBuffer need(int count, String what) {
        if (bytes.remaining() < count) {
            throw error(what + " to end inside the header", "the end of the file or of " + bytes.limit() + " bytes");
        }
        return bytes;
    }

    /** The file's name, for messages. */
    String source() {
        return source;
    }

    InvalidFileException error(String expected, String found) {
        return new InvalidFileException(source + ": expected a GGUF file with " + NearNames.shorten(expected)
                + ", found " + found + "; it is damaged, copy or download it again");
    }
}
