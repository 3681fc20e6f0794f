package io.peftj.core.io;

import static io.peftj.core.io.SafetensorsBytes.entry;
import static io.peftj.core.io.SafetensorsBytes.file;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.InvalidFileException;
import io.peftj.core.tensor.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ReadOnlyBufferException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsTest {
    @Test
    void everyTypeIsRead() {
        ByteBuffer data = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
        data.putLong(-5)
                .putDouble(0.1)
                .putFloat(1.5f)
                .putInt(-7)
                .putShort((short) 0x3FC0)
                .putShort((short) 0x3E00);
        data.putShort((short) -300).put((byte) -3).put((byte) 250).put((byte) 1);
        String header = "{"
                + String.join(
                        ",",
                        entry("i64", "I64", "[1]", 0, 8),
                        entry("f64", "F64", "[1]", 8, 16),
                        entry("f32", "F32", "[]", 16, 20),
                        entry("i32", "I32", "[1]", 20, 24),
                        entry("bf16", "BF16", "[1,1]", 24, 26),
                        entry("f16", "F16", "[1]", 26, 28),
                        entry("i16", "I16", "[1]", 28, 30),
                        entry("i8", "I8", "[1]", 30, 31),
                        entry("u8", "U8", "[1]", 31, 32),
                        entry("bool", "BOOL", "[1]", 32, 33))
                + "}";
        byte[] bytes = new byte[33];
        data.flip().get(bytes);

        try (Safetensors file = Safetensors.of(file(header, bytes), "file")) {
            assertThat(file.names())
                    .containsExactly("i64", "f64", "f32", "i32", "bf16", "f16", "i16", "i8", "u8", "bool");
            assertThat(file.find("f64").toFloats()).containsExactly(0.1f);
            assertThat(file.find("f32").toFloats()).containsExactly(1.5f);
            assertThat(file.find("f32").shape()).isEqualTo(Shape.SCALAR);
            assertThat(file.find("bf16").toFloats()).containsExactly(1.5f);
            assertThat(file.find("bf16").shape()).isEqualTo(Shape.of(1, 1));
            assertThat(file.find("f16").toFloats()).containsExactly(1.5f);
            assertThat(file.find("i64").toLongs()).containsExactly(-5);
            assertThat(file.find("i32").toLongs()).containsExactly(-7);
            assertThat(file.find("i16").toLongs()).containsExactly(-300);
            assertThat(file.find("i8").toLongs()).containsExactly(-3);
            assertThat(file.find("u8").toLongs()).containsExactly(250);
            assertThat(file.find("bool").toLongs()).containsExactly(1);
        }
    }

    @Test
    void namesFollowTheDataAndNotTheHeader() {
        String header = "{" + entry("second", "U8", "[2]", 1, 3) + "," + entry("first", "U8", "[1]", 0, 1) + "}   ";

        try (Safetensors file = Safetensors.of(file(header, new byte[] {1, 2, 3}), "file")) {
            assertThat(file.names()).containsExactly("first", "second");
            assertThat(file.find("second").toLongs()).containsExactly(2, 3);
        }
    }

    @Test
    void emptyTensorsAndFilesAreRead() {
        String header = "{" + entry("a", "F32", "[0]", 0, 0) + "," + entry("b", "F32", "[3,0]", 0, 0) + "}";

        assertThat(Safetensors.of(file(header, 0), "file").find("b").toFloats()).isEmpty();
        assertThat(Safetensors.of(file("{}", 0), "file").names()).isEmpty();
    }

    @Test
    void someElementsAreReadWithoutTheOthers() {
        String header = "{" + entry("a", "I64", "[1]", 0, 8) + "," + entry("b", "BF16", "[4]", 8, 16) + "}";
        byte[] data = new byte[16];
        data[13] = 0x40; // the third element of b is 0x4000

        StoredTensor b = Safetensors.of(file(header, data), "file").find("b");

        assertThat(b.toFloatsAt(2, 0, 2)).containsExactly(2, 0, 2);
        assertThatThrownBy(() -> b.toFloatsAt(4)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void bytesAreReadOnlyLittleEndianAndIndependent() {
        StoredTensor tensor = Safetensors.of(
                        file("{" + entry("a", "I32", "[1]", 0, 4) + "}", new byte[] {1, 0, 0, 0}), "file")
                .find("a");

        assertThat(tensor.bytes().getInt()).isEqualTo(1);
        assertThat(tensor.bytes().remaining()).isEqualTo(4);
        assertThatThrownBy(() -> tensor.bytes().put((byte) 1)).isInstanceOf(ReadOnlyBufferException.class);
    }

    @Test
    void aTensorOutlivesItsFileButAClosedFileFindsNoMore(@TempDir Path folder) throws IOException {
        Path path = folder.resolve("model.safetensors");
        Files.write(
                path,
                file("{" + entry("a", "U8", "[2]", 0, 2) + "}", new byte[] {4, 5})
                        .array());
        Safetensors file = Safetensors.open(path);
        StoredTensor tensor = file.find("a");
        file.close();
        file.close();

        assertThat(tensor.toLongs()).containsExactly(4, 5);
        assertThatIllegalStateException()
                .isThrownBy(() -> file.find("a"))
                .withMessageStartingWith("find(\"a\") on")
                .withMessageEndingWith("model.safetensors, which was closed");
    }

    @Test
    void anAbsentNameIsAnErrorThatListsTheNearest() {
        String header =
                "{" + entry("layers.0.q.weight", "U8", "[0]", 0, 0) + "," + entry("head", "U8", "[0]", 0, 0) + "}";
        Safetensors file = Safetensors.of(file(header, 0), "adapter/model.safetensors");

        assertThat(file.contains("layers.0.q")).isFalse();
        assertThatThrownBy(() -> file.find("layers.0.q"))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage(
                        "adapter/model.safetensors: expected a tensor \"layers.0.q\", found none of 2 by this name;"
                                + " nearest: \"layers.0.q.weight\", \"head\"; check that the file belongs to this architecture");
    }

    @Test
    void integersAreNoFloatsAndFloatsNoIntegers() {
        String header = "{" + entry("ids", "I64", "[0]", 0, 0) + "," + entry("w", "F32", "[0]", 0, 0) + "}";
        Safetensors file = Safetensors.of(file(header, 0), "file");

        assertThatThrownBy(() -> file.find("ids").toFloats())
                .isInstanceOf(InvalidFileException.class)
                .hasMessage("tensor \"ids\" (I64 [0], file): expected floating-point numbers (F32, F16, BF16 or F64),"
                        + " found I64; quantised weights are not read, use the model's unquantised files");
        assertThatThrownBy(() -> file.find("w").toLongs())
                .isInstanceOf(InvalidFileException.class)
                .hasMessage("tensor \"w\" (F32 [0], file): expected integers (I64, I32, I16, I8, U8 or BOOL),"
                        + " found F32; write the tensor with an integer type");
    }

    /** The file is sparse: almost all of it is a hole that takes no room on the disk. */
    @Test
    void filesAndTensorsBeyondTwoGibibytesAreReadInParts(@TempDir Path folder) throws IOException {
        long large = (1L << 31) + 4;
        String header = "{" + entry("large", "F32", "[536870913]", 0, large) + ","
                + entry("last", "U8", "[1]", large, large + 1) + "}";
        Path path = folder.resolve("large.safetensors");
        ByteBuffer start = file(header, 0);
        long end = start.remaining() + large + 1;
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
            channel.write(start);
            ByteBuffer tail = ByteBuffer.allocate(5).order(ByteOrder.LITTLE_ENDIAN);
            channel.write(tail.putFloat(1.5f).put((byte) 9).flip(), end - 5);
        }

        try (Safetensors file = Safetensors.open(path)) {
            assertThat(file.find("last").toLongs()).containsExactly(9);
            StoredTensor tensor = file.find("large");
            assertThat(tensor.parts()).extracting(ByteBuffer::remaining).containsExactly(1 << 30, 1 << 30, 4);
            assertThat(tensor.toFloatsAt(536870911, 536870912)).containsExactly(0, 1.5f);
            assertThatThrownBy(tensor::bytes)
                    .isInstanceOf(InvalidFileException.class)
                    .hasMessageContaining("has 2147483652 bytes, more than one buffer can hold (2 GiB)");
        }
    }
}
