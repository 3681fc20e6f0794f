package io.peftj.djl.engine;

import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Encoding;

/** libtorch's number formats, with the codes that TorchScript knows them by. */
enum ScalarType {
    U8(0, 1),
    I64(4, 8),
    F16(5, 2),
    F32(6, 4),
    F64(7, 8),
    BF16(15, 2);

    private final int code;
    private final int bytes;

    ScalarType(int code, int bytes) {
        this.code = code;
        this.bytes = bytes;
    }

    static ScalarType of(DType dtype) {
        return switch (dtype) {
            case F32 -> F32;
            case BF16 -> BF16;
            case F64 -> F64;
        };
    }

    static ScalarType of(Encoding encoding) {
        return switch (encoding) {
            case F32 -> F32;
            case F16 -> F16;
            case BF16 -> BF16;
        };
    }

    int code() {
        return code;
    }

    int bytes() {
        return bytes;
    }

    /** What statistics and losses of values in this format are kept in. */
    ScalarType wide() {
        return this == F64 ? F64 : F32;
    }
}
