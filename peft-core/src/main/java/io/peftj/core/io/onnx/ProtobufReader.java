package io.peftj.core.io.onnx;

import io.peftj.core.InvalidFileException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * The fields of one message in protobuf's wire format, one after another; nested messages are views, not copies.
 *
 * <p>After {@link #next()} exactly one of the value methods or {@link #skip()} is called.
 */
final class ProtobufReader {
    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int BYTES = 2;
    private static final int FIXED32 = 5;
    private static final String[] WIRE_TYPES = {"a varint", "8 bytes", "bytes", "a group", "a group's end", "4 bytes"};

    private final ByteBuffer message;
    private final String source;
    private int field;
    private int wireType;

    ProtobufReader(ByteBuffer message, String source) {
        this.message = message.slice().order(ByteOrder.LITTLE_ENDIAN);
        this.source = source;
    }

    /** Moves to the next field; false at the end. */
    boolean next() {
        if (!message.hasRemaining()) {
            return false;
        }
        long tag = readVarint();
        wireType = (int) (tag & 7);
        if (tag < 8 || tag >>> 3 > Integer.MAX_VALUE) {
            throw error("a field number from 1 to " + Integer.MAX_VALUE, Long.toUnsignedString(tag >>> 3));
        }
        if (wireType != VARINT && wireType != FIXED64 && wireType != BYTES && wireType != FIXED32) {
            throw error("a varint, 8 bytes, bytes or 4 bytes", "wire type " + wireType);
        }
        field = (int) (tag >>> 3);
        return true;
    }

    /** The number of the field that {@link #next()} moved to. */
    int field() {
        return field;
    }

    /** Whether the field is length-delimited: bytes, a string, a message or packed numbers. */
    boolean isBytes() {
        return wireType == BYTES;
    }

    long varint() {
        require(VARINT);
        return readVarint();
    }

    ByteBuffer bytes() {
        require(BYTES);
        return take(readVarint());
    }

    ProtobufReader message() {
        return new ProtobufReader(bytes(), source);
    }

    /** The next of a run of varints without tags, which is what packed repeated fields hold. */
    long packedVarint() {
        return readVarint();
    }

    /** Whether a run of varints goes on. */
    boolean hasRemaining() {
        return message.hasRemaining();
    }

    String string() {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(bytes()).toString();
        } catch (CharacterCodingException e) {
            throw error("a string in UTF-8", "other bytes");
        }
    }

    void skip() {
        switch (wireType) {
            case VARINT -> readVarint();
            case FIXED64 -> take(Long.BYTES);
            case FIXED32 -> take(Integer.BYTES);
            default -> take(readVarint());
        }
    }

    private void require(int expected) {
        if (wireType != expected) {
            throw error(WIRE_TYPES[expected] + " in field " + field, WIRE_TYPES[wireType]);
        }
    }

    private ByteBuffer take(long length) {
        if (length < 0 || length > message.remaining()) {
            throw error(
                    "at least " + Long.toUnsignedString(length) + " more bytes",
                    message.remaining() + ", the file is cut short or no ONNX file");
        }
        ByteBuffer taken = message.slice(message.position(), (int) length).order(ByteOrder.LITTLE_ENDIAN);
        message.position(message.position() + (int) length);
        return taken;
    }

    /** Seven bits a byte, the lowest first; a set high bit says that more follow. */
    private long readVarint() {
        long value = 0;
        for (int shift = 0; shift < Long.SIZE; shift += 7) {
            if (!message.hasRemaining()) {
                throw error("the rest of a varint", "the end, the file is cut short or no ONNX file");
            }
            byte part = message.get();
            value |= (part & 0x7FL) << shift;
            if (part >= 0) {
                return value;
            }
        }
        throw error("a varint of at most 10 bytes", "a longer one");
    }

    private InvalidFileException error(String expected, String found) {
        return new InvalidFileException(source + ": expected ONNX in protobuf's format with " + expected + ", found "
                + found + "; copy or export the file again");
    }
}
