package io.peftj.core.io.onnx;

import static io.peftj.core.io.onnx.OnnxBytes.floats;
import static io.peftj.core.io.onnx.OnnxBytes.graph;
import static io.peftj.core.io.onnx.OnnxBytes.model;
import static io.peftj.core.io.onnx.OnnxBytes.node;

import io.peftj.core.io.Mutations;
import io.peftj.core.io.TensorSource;
import java.io.ByteArrayInputStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OnnxMutationTest {
    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2})
    void damagedOnnxNeverEndsInAnotherError(long seed) {
        OnnxBytes graph = graph(
                        floats("onnx::MatMul_5", new long[] {2, 3}, 1, 2, 3, 4, 5, 6),
                        floats("query.bias", new long[] {3}, 1, 2, 3))
                .message(1, node("MatMul", "/query/MatMul", "hidden", "onnx::MatMul_5"));

        Mutations.run(model(graph).toByteArray(), seed, 10_000, bytes -> {
            TensorSource read = OnnxFile.read(new ByteArrayInputStream(bytes), "fuzzed");
            read.names().forEach(name -> read.find(name).toFloats());
        });
    }
}
