package io.peftj.core.tensor;

/** How a file writes floating-point numbers. */
public enum Encoding {
    F32(4),
    F16(2),
    BF16(2);

    private final int bytes;

    Encoding(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }
}
