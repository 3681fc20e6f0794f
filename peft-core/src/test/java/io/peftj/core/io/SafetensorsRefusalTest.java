package io.peftj.core.io;

import static io.peftj.core.io.SafetensorsBytes.entry;
import static io.peftj.core.io.SafetensorsBytes.file;
import static io.peftj.core.io.SafetensorsBytes.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.peftj.core.InvalidFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SafetensorsRefusalTest {
    static Stream<Arguments> refusals() {
        String a = entry("a", "F32", "[2]", 0, 8);
        String many = IntStream.range(0, 250_001)
                .mapToObj(i -> entry("t" + i, "U8", "[0]", 0, 0))
                .collect(Collectors.joining(","));
        String axes = "[" + "1,".repeat(32) + "1]";
        return Stream.of(
                arguments("", "found an error: End of input", 0),
                arguments("[]", "expected begin object at $, found begin array", 0),
                arguments("{" + a, "expected valid JSON in UTF-8, found an error: End of input", 8),
                arguments("{" + a + "} x", "expected valid JSON in UTF-8", 8),
                arguments("{" + a + "}{}", "expected valid JSON in UTF-8", 8),
                arguments("{" + a + "," + a + "}", "key \"a\" at $.a occurs twice, expected once", 8),
                arguments(json("{'a':{'dtype':'U8','dtype':'U8'}}"), "key \"dtype\" at $.a.dtype occurs twice", 0),
                arguments(json("{'__metadata__':{'k':'1','k':'2'}}"), "key \"k\" at $.__metadata__.k occurs twice", 0),
                arguments(json("{'__metadata__':{'k':1}}"), "expected string at $.__metadata__.k, found number", 0),
                arguments(json("{'__metadata__':{},'__metadata__':{}}"), "key \"__metadata__\"", 0),
                arguments(json("{'a':null}"), "expected begin object at $.a, found null", 0),
                arguments(json("{'a':{'dtype':'F32','shape':[2]}}"), "expected dtype, shape and two data_offsets", 8),
                arguments(
                        json("{'a':{'dtype':'F32','shape':[2],'data_offsets':[0]}}"),
                        "expected dtype, shape and two data_offsets, found less",
                        8),
                arguments(
                        json("{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8,8]}}"),
                        "tensor \"a\": expected at most 2 numbers in data_offsets, found more",
                        8),
                arguments(
                        json("{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8],'scale':1}}"),
                        "tensor \"a\": expected dtype, shape and data_offsets, found \"scale\"",
                        8),
                arguments(
                        "{" + entry("a", "F8_E4M3", "[2]", 0, 2) + "}",
                        "tensor \"a\": expected a dtype of I64, F64, F32, I32, BF16, F16, I16, I8, U8, BOOL,"
                                + " found \"F8_E4M3\"; save the model unquantised in one of these",
                        2),
                arguments("{" + entry("a", "F32", "[-2]", 0, 8) + "}", "at $.a.shape[0], found -2", 8),
                arguments("{" + entry("a", "F32", "[2.0]", 0, 8) + "}", "at $.a.shape[0], found 2.0", 8),
                arguments(
                        "{" + entry("a", "F32", "[1e999]", 0, 8) + "}", "expected a number within a double's range", 8),
                arguments("{" + entry("a", "F32", "[NaN]", 0, 8) + "}", "expected valid JSON", 8),
                arguments(
                        "{" + entry("a", "F32", "[9223372036854775807]", 0, 8) + "}",
                        "expected an integer from 0 to 999999999999999999 at $.a.shape[0], found 9223372036854775807",
                        8),
                arguments(
                        "{" + entry("a", "F32", "[2147483648]", 0, 8) + "}",
                        "expected sizes below 2^31 whose product fits 63 bits, found F32 [2147483648]",
                        8),
                arguments(
                        "{" + entry("a", "F32", "[2147483647,2147483647,2]", 0, 8) + "}",
                        "expected sizes below 2^31 whose product fits 63 bits",
                        8),
                arguments("{" + entry("a", "U8", axes, 0, 1) + "}", "expected at most 32 numbers in shape", 1),
                arguments(
                        "{" + entry("a", "F32", "[3]", 0, 8) + "}",
                        "tensor \"a\": expected 12 bytes for F32 [3], found data_offsets [0, 8]; the file is damaged",
                        8),
                arguments("{" + entry("a", "F32", "[2]", 8, 0) + "}", "found data_offsets [8, 0]", 8),
                arguments(
                        "{" + a + "," + entry("b", "F32", "[2]", 4, 12) + "}",
                        "tensor \"b\": expected its data at 8, where the tensor before it ends, found it at 4 (an overlap)",
                        12),
                arguments("{" + a + "," + entry("b", "F32", "[2]", 0, 8) + "}", "(an overlap)", 8),
                arguments(
                        "{" + a + "," + entry("b", "F32", "[2]", 12, 20) + "}",
                        "tensor \"b\": expected its data at 8, where the tensor before it ends, found it at 12 (a hole)",
                        20),
                arguments("{" + entry("a", "F32", "[2]", 8, 16) + "}", "expected its data at 0", 16),
                arguments(
                        "{" + a + "}",
                        "expected 8 bytes of data after the header, as its tensors add up to, found 9 (trailing bytes)",
                        9),
                arguments("{" + a + "}", "found 7 (the file is cut short); copy or download it again", 7),
                arguments("{" + many + "}", "expected at most 250000 tensors, found more", 0),
                arguments("[".repeat(100_000), "expected begin object at $, found begin array", 0),
                arguments(
                        json("{'a':{'shape':[[[[") + "]]]]}}",
                        "expected number at $.a.shape[0], found begin array",
                        0));
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void aBadHeaderIsRefusedByName(String header, String message, int dataBytes) {
        ByteBuffer file = file(header, dataBytes);

        assertThatThrownBy(() -> Safetensors.of(file, "adapter_model.safetensors"))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageStartingWith("adapter_model.safetensors: ")
                .hasMessageContaining(message);
    }

    @Test
    void aHeaderThatIsNotUtf8IsRefused() {
        byte[] latin1 = "{\"\u00e9\":{}}".getBytes(StandardCharsets.ISO_8859_1);
        ByteBuffer file = ByteBuffer.allocate(8 + latin1.length).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(latin1.length).put(latin1).flip();

        assertThatThrownBy(() -> Safetensors.of(file, "file"))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage("file: expected valid JSON in UTF-8, found an error: Input length = 1;"
                        + " the file is damaged, copy or make it again");
    }

    @Test
    void aHeaderLengthThatIsNoLengthIsRefused() {
        for (long length : new long[] {-1, Long.MIN_VALUE, 3, 100_000_001, Long.MAX_VALUE}) {
            ByteBuffer file = ByteBuffer.allocate(10).order(ByteOrder.LITTLE_ENDIAN);
            file.putLong(length).put((byte) '{').put((byte) '}').flip();

            assertThatThrownBy(() -> Safetensors.of(file, "file"))
                    .isInstanceOf(InvalidFileException.class)
                    .hasMessage(
                            "file: expected a header of at most 100000000 bytes that ends inside the file of 10 bytes,"
                                    + " found a header length of " + Long.toUnsignedString(length)
                                    + "; it is no safetensors file, or it is cut short; copy or download it again");
        }
    }

    @Test
    void aMessageStaysShortHoweverLongTheNameInTheFile() {
        String name = "n".repeat(100_000);
        ByteBuffer unknown = file("{" + entry(name, "F8", "[0]", 0, 0) + "}", 0);
        ByteBuffer hole = file("{" + entry(name, "U8", "[0]", 1, 1) + "}", 1);

        for (ByteBuffer file : new ByteBuffer[] {unknown, hole}) {
            assertThatThrownBy(() -> Safetensors.of(file, "file"))
                    .isInstanceOf(InvalidFileException.class)
                    .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(1000));
        }
    }

    @Test
    void aPointerLeftByGitLfsIsRecognised(@TempDir Path folder) throws IOException {
        Path file =
                Files.writeString(folder.resolve("model.safetensors"), "version https://git-lfs.github.com/spec/v1\n");

        assertThatThrownBy(() -> Safetensors.open(file))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageEndingWith("it looks like a Git LFS pointer, fetch the file itself with: git lfs pull");
    }

    @Test
    void anEmptyAndAnAbsentFileAreRefused(@TempDir Path folder) throws IOException {
        Path empty = Files.createFile(folder.resolve("empty.safetensors"));
        Path absent = folder.resolve("absent.safetensors");

        assertThatThrownBy(() -> Safetensors.open(empty))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageEndingWith("empty.safetensors: expected a safetensors file of 8 bytes at least, found 0;"
                        + " copy or download it again");
        assertThatThrownBy(() -> Safetensors.open(absent))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage(
                        absent + " does not exist, expected a readable file; check the path or copy the file there");
        assertThatThrownBy(() -> Safetensors.open(folder)).isInstanceOf(InvalidFileException.class);
    }
}
