package io.peftj.core.io.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.InvalidFileException;
import io.peftj.core.tensor.Shape;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class GgufFileTest {
    private static final float[] SIX = {1, 2, 3, 4, 5, 6};

    @TempDir
    private Path folder;

    private static GgufBytes valid() {
        return new GgufBytes()
                .key("general.architecture", "llama")
                .key("a.number", 7)
                .key("a.float", 1e-5f)
                .key("a.truth", true)
                .key("texts", List.of("one", "zwei"))
                .f32("a", SIX, 2, 3)
                .f32("b", new float[] {7}, 1);
    }

    private static GgufFile read(byte[] bytes) {
        return GgufFile.of(ByteBuffer.wrap(bytes), "test.gguf");
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void metadataAndTensorsAreRead(int version) {
        GgufFile file = read(valid().version(version).toArray());

        assertThat(file.metadata().requiredString("general.architecture")).isEqualTo("llama");
        assertThat(file.metadata().requiredInt("a.number")).isEqualTo(7);
        assertThat(file.metadata().requiredDouble("a.float")).isEqualTo(1e-5);
        assertThat(file.metadata().optionalBoolean("a.truth", false)).isTrue();
        assertThat(file.metadata().strings("texts")).containsExactly("one", "zwei");
        assertThat(file.tensors().keySet()).containsExactly("a", "b");
        GgufFile.Tensor a = file.tensors().get("a");
        assertThat(a.entry().shape()).isEqualTo(Shape.of(2, 3));
        assertThat(GgufType.F32.dequantise(a.bytes()).asFloatBuffer()).isEqualTo(FloatBuffer.wrap(SIX));
    }

    @Test
    void aFileOnDiskIsMapped() throws IOException {
        Path file = Files.write(folder.resolve("a.gguf"), valid().toArray());

        assertThat(GgufFile.isOne(file)).isTrue();
        assertThat(GgufFile.open(file).tensors().get("b").bytes().getFloat(0)).isEqualTo(7);
    }

    @Test
    void aTensorTooLargeForAnArrayIsRefusedByName() throws IOException {
        long elements = 600_000_000;
        byte[] header = new GgufBytes()
                .key("general.architecture", "llama")
                .tensor("token_embd.weight", 0, 0, new byte[1], elements)
                .toArray();
        Path file = folder.resolve("large.gguf");
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.write(header);
            sparse.setLength(header.length - 1 + 4 * elements); // Holes take no room on the disk.
        }

        assertThatThrownBy(() -> GgufFile.open(file))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining(
                        "large.gguf: tensor \"token_embd.weight\" has 600000000 elements, which take 2400000000"
                                + " bytes, more than an array can hold (2147483639); use a smaller model");
    }

    @Test
    void theLastTensorMayBeFilledUpOrNot() {
        byte[] bare = valid().toArray();

        assertThat(read(bare).tensors()).hasSize(2);
        assertThat(read(Arrays.copyOf(bare, (bare.length + 31) / 32 * 32)).tensors())
                .hasSize(2);
    }

    @Test
    void tensorsLieByTheAlignmentThatTheFileNames() {
        GgufBytes file = new GgufBytes().alignment(8).f32("a", SIX, 6).f32("b", SIX, 6);

        assertThat(read(file.toArray()).tensors()).hasSize(2);
    }

    private static GgufBytes.Bytes key(String name) {
        return new GgufBytes.Bytes().string(name);
    }

    private static Arguments refused(String message, GgufBytes file) {
        return Arguments.of(message, file.toArray());
    }

    static Stream<Arguments> refused() {
        byte[] valid = valid().toArray();
        byte[] block = new byte[18];
        return Stream.of(
                Arguments.of("its first bytes to end inside the header", new byte[3]),
                Arguments.of(
                        "which begins with \"GGUF\", found 50 4b".replace("50 4b", "504b0304"),
                        new byte[] {0x50, 0x4b, 3, 4}),
                refused("version 2 or 3, found version 1", valid().version(1)),
                refused("a big-endian file", valid().version(0x03000000)),
                refused(
                        "at most 20000 tensors that fit into the file, found 1000000000002",
                        valid().counts(1_000_000_000_000L, 0)),
                refused("tensors that fit into the file, found 18446744073709551615", valid().counts(-3, 0)),
                refused(
                        "keys that fit into the file, found 9223372036854775807",
                        valid().counts(0, Long.MAX_VALUE - 5)),
                refused("each key once, found \"texts\" twice", valid().key("texts", "again")),
                refused("keys of 1 to 65535 characters, found one of 0", valid().key("", 1)),
                refused(
                        "a type from 0 to 12 for \"k\"",
                        valid().rawKey(key("k").u32(13).u32(0).toArray())),
                refused(
                        "in arrays none but 9, found type 9",
                        valid().rawKey(key("k").u32(9)
                                .u32(9)
                                .u64(1)
                                .u32(4)
                                .u64(0)
                                .toArray())),
                refused(
                        "elements of \"k\" that fit into the file, found 4611686018427387904",
                        valid().rawKey(key("k").u32(9).u32(4).u64(1L << 62).toArray())),
                refused(
                        "\"k\" to end inside the header, found a length of 18446744073709551615",
                        valid().rawKey(key("k").u32(8).u64(-1).toArray())),
                refused(
                        "\"k\" in UTF-8",
                        valid().rawKey(key("k").u32(8)
                                .u64(1)
                                .bytes(new byte[] {(byte) 0xFF})
                                .toArray())),
                refused(
                        "0 or 1 for \"k\", found 2",
                        valid().rawKey(key("k").u32(7).bytes(new byte[] {2}).toArray())),
                refused("a power of two as general.alignment, found 24", valid().alignment(24)),
                refused("a power of two as general.alignment, found 0", valid().key("general.alignment", 0)),
                refused(
                        "a power of two as general.alignment, found a list",
                        valid().key("general.alignment", List.of(32))),
                refused("each tensor once, found \"a\" twice", valid().f32("a", SIX, 6)),
                refused("tensor names of 1 to 64 characters", valid().f32("n".repeat(65), SIX, 6)),
                refused("1 to 4 axes for tensor \"c\", found 5", valid().f32("c", SIX, 1, 1, 1, 2, 3)),
                refused("1 to 4 axes for tensor \"c\", found 0", valid().f32("c", SIX)),
                refused("sizes of 1 to 2^31 - 1", valid().f32("c", SIX, 0, 6)),
                refused("sizes of 1 to 2^31 - 1", valid().f32("c", SIX, 1L << 31, 1)),
                refused("whose product fits 63 bits", valid().f32("c", SIX, 1 << 30, 1 << 30, 1 << 30)),
                refused("whose bytes fit 63 bits", valid().f32("c", SIX, 1 << 30, 1 << 30, 2)),
                refused(
                        "has the type 10 of ggml's, which is not read; known are F32, F16",
                        valid().tensor("c", 10, 64, new byte[84], 256)),
                refused(
                        "rows of whole blocks of 32 values for tensor \"c\" of Q4_0, found rows of 33",
                        valid().tensor("c", 2, 64, block, 33)),
                refused("the data of tensor \"c\" at 64", valid().tensor("c", 2, 65, block, 32)),
                refused("the data of tensor \"c\" at 64", valid().tensor("c", 2, 32, block, 32)),
                refused("the data of tensor \"c\" at 64", valid().tensor("c", 2, 96, block, 32)),
                refused("found it at 18446744073709551584", valid().tensor("c", 2, -32, block, 32)),
                refused("36 bytes of tensor \"c\"", valid().tensor("c", 2, 64, block, 2, 32)),
                Arguments.of("4 bytes of tensor \"b\"", Arrays.copyOf(valid, valid.length - 1)),
                Arguments.of("the end at byte " + valid.length, Arrays.copyOf(valid, valid.length + 1)),
                Arguments.of("the end at byte " + valid.length, Arrays.copyOf(valid, valid.length + 60)));
    }

    @ParameterizedTest
    @MethodSource
    void refused(String message, byte[] bytes) {
        assertThatThrownBy(() -> read(bytes))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("test.gguf")
                .hasMessageContaining(message);
    }
}
