package io.peftj.core.tensor;

/** The number formats that values are computed in. */
public enum DType {
    /** IEEE single precision. */
    F32(4),
    /** The upper half of a single: eight exponent bits, seven of fraction. */
    BF16(2),
    /** IEEE double precision: what references and finite differences are computed in. */
    F64(8);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }
}
