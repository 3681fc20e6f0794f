package io.peftj.core.io.gguf;

import io.peftj.core.io.StoredType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** The number formats of GGUF tensors that are read. */
enum GgufType {
    F32(0, 1, 4, Blocks::f32),
    F16(1, 1, 2, Blocks::f16),
    BF16(30, 1, 2, Blocks::bf16),
    Q4_0(2, 32, 18, Blocks::q4With0),
    Q4_1(3, 32, 20, Blocks::q4With1),
    Q5_0(6, 32, 22, Blocks::q5With0),
    Q5_1(7, 32, 24, Blocks::q5With1),
    Q8_0(8, 32, 34, Blocks::q8),
    Q4_K(12, 256, 144, Blocks::q4K),
    Q5_K(13, 256, 176, Blocks::q5K),
    Q6_K(14, 256, 210, Blocks::q6K);

    private final int id;
    private final int values;
    private final int bytes;

    @SuppressWarnings("ImmutableEnumChecker") // a constant
    private final Block block;

    GgufType(int id, int values, int bytes, Block block) {
        this.id = id;
        this.values = values;
        this.bytes = bytes;
        this.block = block;
    }

    /** Computes the values of one block. */
    @FunctionalInterface
    interface Block {
        /**
         * Writes a block's values.
         *
         * @param from little-endian
         * @param at the block's first byte
         * @param into the first value's place in {@code values}
         */
        void read(ByteBuffer from, int at, float[] values, int into);
    }

    /** The type of a number in a file; empty if it is not read. */
    static Optional<GgufType> of(int id) {
        return Arrays.stream(values()).filter(type -> type.id == id).findFirst();
    }

    /** All names, for messages. */
    static String known() {
        return Arrays.stream(values()).map(Enum::name).collect(Collectors.joining(", "));
    }

    /** Number of values of a block, which lie beside one another in a row. */
    int blockValues() {
        return values;
    }

    /** Number of bytes of a block. */
    int blockBytes() {
        return bytes;
    }

    /** The same format among those of stored tensors; empty for one that is quantised. */
    Optional<StoredType> stored() {
        return switch (this) {
            case F32 -> Optional.of(StoredType.F32);
            case F16 -> Optional.of(StoredType.F16);
            case BF16 -> Optional.of(StoredType.BF16);
            default -> Optional.empty();
        };
    }

    /** Bytes of so many values once they are {@link #stored}, or in single precision where they are quantised. */
    long bytesOf(long count) {
        return count * stored().orElse(StoredType.F32).bytes();
    }

    /**
     * The values of consecutive blocks in single precision, bit for bit those of ggml's Python package; little-endian.
     * They are not collected in an array first: a vocabulary's matrix takes hundreds of MB.
     */
    ByteBuffer dequantise(ByteBuffer blocks) {
        int count = blocks.remaining() / bytes;
        ByteBuffer all = ByteBuffer.allocate(count * values * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        FloatBuffer floats = all.asFloatBuffer();
        float[] one = new float[values];
        for (int i = 0; i < count; i++) {
            block.read(blocks, i * bytes, one, 0);
            floats.put(one);
        }
        return all;
    }
}
