package io.peftj.core.io.onnx;

import static io.peftj.core.io.onnx.OnnxBytes.floats;
import static io.peftj.core.io.onnx.OnnxBytes.graph;
import static io.peftj.core.io.onnx.OnnxBytes.littleEndian;
import static io.peftj.core.io.onnx.OnnxBytes.model;
import static io.peftj.core.io.onnx.OnnxBytes.node;
import static io.peftj.core.io.onnx.OnnxBytes.tensor;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.peftj.core.InvalidFileException;
import io.peftj.core.io.TensorSource;
import io.peftj.core.tensor.Shape;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class OnnxFileTest {
    private static final long[] TWO_BY_THREE = {2, 3};

    @Test
    void namedAndAnonymousWeightsHaveTheirHuggingFaceNames(@TempDir Path folder) throws IOException {
        OnnxBytes graph = graph(
                        floats("encoder.layer.0.query.bias", new long[] {3}, 7, 8, 9),
                        floats("onnx::MatMul_5", TWO_BY_THREE, 1, 2, 3, 4, 5, 6),
                        floats("onnx::Add_6", new long[] {}, 1),
                        tensor("position_ids", 7, 1, 2))
                .message(1, node("MatMul", "/encoder/layer.0/query/MatMul", "hidden", "onnx::MatMul_5"))
                .message(1, node("MatMul", "/encoder/layer.0/scores/MatMul", "queries", "keys"));
        Path file = Files.write(folder.resolve("encoder.onnx"), model(graph).toByteArray());

        try (TensorSource source = OnnxFile.open(file)) {
            assertThat(source.names()).containsExactly("encoder.layer.0.query.bias", "encoder.layer.0.query.weight");
            assertThat(source.find("encoder.layer.0.query.bias").toFloats()).containsExactly(7, 8, 9);
            assertThat(source.find("encoder.layer.0.query.weight").shape()).isEqualTo(Shape.of(3, 2));
            assertThat(source.find("encoder.layer.0.query.weight").toFloats()).containsExactly(1, 4, 2, 5, 3, 6);
            assertThat(source.find("encoder.layer.0.query.weight").toFloatsAt(1, 4))
                    .containsExactly(4, 3);
            assertThat(source.description()).isEqualTo("encoder.onnx");
        }
    }

    @Test
    void packedSizesAndValuesAreRead() {
        OnnxBytes dims = new OnnxBytes().raw(2).raw(2);
        OnnxBytes tensor = new OnnxBytes()
                .message(1, dims)
                .varint(2, 1)
                .bytes(4, littleEndian(1, 2, 3, 4))
                .string(8, "w");

        assertThat(read(model(graph(tensor))).find("w").toHostTensor().shape()).isEqualTo(Shape.of(2, 2));
        assertThat(read(model(graph(tensor))).find("w").toFloats()).containsExactly(1, 2, 3, 4);
    }

    static Stream<Arguments> refusals() {
        OnnxBytes anonymous = floats("onnx::MatMul_5", TWO_BY_THREE, 1, 2, 3, 4, 5, 6);
        OnnxBytes named = floats("w", new long[] {1}, 1);
        OnnxBytes flat = floats("onnx::MatMul_5", new long[] {6}, 1, 2, 3, 4, 5, 6);
        OnnxBytes product = node("MatMul", "/query/MatMul", "hidden", "onnx::MatMul_5");
        return Stream.of(
                arguments(
                        model(graph(tensor("onnx::MatMul_5_quantized", 3, 2, 3))),
                        "expected single-precision weights (FLOAT), found initializer \"onnx::MatMul_5_quantized\" of type"
                                + " INT8; quantised and half-precision ONNX files are not read, use the model's float32"
                                + " file"),
                arguments(model(graph(tensor("w", 10, 2))), "of type FLOAT16"),
                arguments(model(graph(tensor("w", 99, 2))), "of type number 99"),
                arguments(
                        model(graph(tensor("w", 1, 2).message(13, new OnnxBytes().string(1, "location")))),
                        "expected the values of initializer \"w\" in the file itself, found them in another (external"
                                + " data); save the model in one file, or use its safetensors files"),
                arguments(model(graph(tensor("w", 1, 2).varint(14, 1))), "(external data)"),
                arguments(
                        model(graph().message(15, new OnnxBytes())),
                        "expected dense weights, found a sparse initializer"),
                arguments(
                        model(graph(tensor("w", 1, 2).message(3, new OnnxBytes()))),
                        "expected whole tensors, found a segment of one"),
                arguments(
                        model(graph(tensor("w", 1, 2))),
                        "expected 8 bytes for initializer \"w\" of shape [2], found 0; the file is cut short or damaged"),
                arguments(model(graph(floats("w", TWO_BY_THREE, 1))), "expected 24 bytes for initializer \"w\""),
                arguments(
                        model(graph(tensor("w", 1, 1).bytes(9, new byte[2]).bytes(9, new byte[2]))),
                        "expected the values of initializer \"w\" in one piece, found several"),
                arguments(
                        model(graph(tensor("w", 1, -1))),
                        "expected sizes from 0 to 2^31 - 1 for initializer \"w\", found [-1]; the file is damaged"),
                arguments(model(graph(tensor("w", 1, 1L << 31))), "found [2147483648]"),
                arguments(model(graph(tensor("w", 1, 1 << 30, 1 << 30, 4))), "found [1073741824, 1073741824, 4]"),
                arguments(
                        model(graph(tensor("w", 1, new long[33]))), "expected tensors of at most 32 axes, found more"),
                arguments(
                        model(graph(tensor("", 1))),
                        "expected initializers with names of up to 1000 characters, found one of 0"),
                arguments(model(graph(tensor("n".repeat(1001), 1))), "found one of 1001"),
                arguments(model(graph(named, named)), "expected each name once, found tensor \"w\""),
                arguments(
                        model(graph(anonymous, anonymous)),
                        "expected each initializer once, found \"onnx::MatMul_5\" twice"),
                arguments(
                        model(graph(anonymous).message(1, product).message(1, product)),
                        "expected each name once, found tensor \"query.weight\""),
                arguments(
                        model(graph(flat).message(1, product)),
                        "expected a matrix for the weight of \"query.weight\", found onnx::MatMul_5 of shape [6]"),
                arguments(
                        model(graph(anonymous).message(1, node("MatMul", "MatMul_12", "x", "onnx::MatMul_5"))),
                        "expected the MatMul node of weight \"onnx::MatMul_5\" to be named by its module's path, found"
                                + " \"MatMul_12\"; export the model with a PyTorch from 1.13 on"),
                arguments(model(graph()).message(7, graph()), "expected an ONNX model with one graph, found two"),
                arguments(new OnnxBytes(), "expected an ONNX model with a graph, found none"),
                arguments(new OnnxBytes().varint(7, 1), "with bytes in field 7, found a varint"),
                arguments(new OnnxBytes().raw(7 << 3 | 3), "found wire type 3"),
                arguments(new OnnxBytes().raw(2), "with a field number from 1 to 2147483647, found 0"),
                arguments(new OnnxBytes().raw(-1).raw(1), "with a field number from 1 to 2147483647"),
                arguments(new OnnxBytes().raw(7 << 3 | 2).raw(100), "with at least 100 more bytes, found 0"),
                arguments(new OnnxBytes().raw(7 << 3 | 2).raw(-1), "with at least 18446744073709551615 more bytes"),
                arguments(
                        model(new OnnxBytes()
                                .bytes(
                                        1,
                                        new OnnxBytes()
                                                .bytes(4, new byte[] {-1})
                                                .toByteArray())),
                        "with a string in UTF-8, found other bytes"));
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void whatIsNotReadIsRefusedByName(OnnxBytes model, String message) {
        assertThatThrownBy(() -> read(model))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageStartingWith("model.onnx: expected ")
                .hasMessageContaining(message);
    }

    @Test
    void aVarintMustEnd() {
        byte[] endless = new byte[11];
        Arrays.fill(endless, (byte) -1);

        assertThatThrownBy(() -> OnnxFile.read(new ByteArrayInputStream(endless), "model.onnx"))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("with a varint of at most 10 bytes, found a longer one");
        assertThatThrownBy(() -> OnnxFile.read(new ByteArrayInputStream(endless, 0, 3), "model.onnx"))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("with the rest of a varint, found the end");
    }

    @Test
    void everyTruncationIsRefused() {
        OnnxBytes graph = graph(
                        floats("onnx::MatMul_5", TWO_BY_THREE, 1, 2, 3, 4, 5, 6), floats("b", new long[] {1}, 1))
                .message(1, node("MatMul", "/query/MatMul", "hidden", "onnx::MatMul_5"));
        byte[] whole = model(graph).toByteArray();

        for (int length = 0; length < whole.length; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> OnnxFile.read(new ByteArrayInputStream(cut), "model.onnx"))
                    .as("%d of %d bytes", length, whole.length)
                    .isInstanceOf(InvalidFileException.class);
        }
    }

    @Test
    void anAbsentFileIsNamed(@TempDir Path folder) {
        Path file = folder.resolve("model.onnx");

        assertThatThrownBy(() -> OnnxFile.open(file))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageStartingWith(file + " could not be read, expected an ONNX file: ");
    }

    private static TensorSource read(OnnxBytes model) {
        return OnnxFile.read(new ByteArrayInputStream(model.toByteArray()), "model.onnx");
    }
}
