package io.peftj.core.io;

import java.util.Arrays;
import java.util.stream.Collectors;

/** The number formats of stored tensors that are read, under the names and in the order that safetensors files have them. */
public enum StoredType {
    /** Signed, 64 bits. */
    I64(8, false),
    /** IEEE double precision. */
    F64(8, true),
    /** IEEE single precision. */
    F32(4, true),
    /** Signed, 32 bits. */
    I32(4, false),
    /** The upper half of a single. */
    BF16(2, true),
    /** IEEE half precision. */
    F16(2, true),
    /** Signed, 16 bits. */
    I16(2, false),
    /** Signed, 8 bits. */
    I8(1, false),
    /** Unsigned, 8 bits. */
    U8(1, false),
    /** A byte that is 0 or 1. */
    BOOL(1, false);

    private final int bytes;
    private final boolean floating;

    StoredType(int bytes, boolean floating) {
        this.bytes = bytes;
        this.floating = floating;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }

    /** Whether elements are floating-point numbers; the others are integers. */
    public boolean isFloating() {
        return floating;
    }

    /** The names of all types, for messages. */
    static String known() {
        return Arrays.stream(values()).map(Enum::name).collect(Collectors.joining(", "));
    }
}
