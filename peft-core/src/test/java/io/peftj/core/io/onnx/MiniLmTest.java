package io.peftj.core.io.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.io.StoredTensor;
import io.peftj.core.io.TensorSource;
import io.peftj.core.tensor.Shape;
import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A published sentence encoder, read from its jar; the expected values are those of its conversion to a Hugging Face
 * directory by numpy.
 */
class MiniLmTest {
    private static TensorSource encoder;

    @BeforeAll
    static void read() throws IOException {
        try (InputStream in = MiniLmTest.class.getResourceAsStream("/all-minilm-l6-v2.onnx")) {
            encoder = OnnxFile.read(Objects.requireNonNull(in), "all-minilm-l6-v2.onnx");
        }
    }

    @Test
    void everyParameterOfTheEncoderIsThere() {
        // Embeddings 5, six layers of 16, pooler 2.
        assertThat(encoder.names()).hasSize(5 + 6 * 16 + 2).noneMatch(name -> name.startsWith("onnx::"));
        for (int layer = 0; layer < 6; layer++) {
            String prefix = "encoder.layer." + layer + ".";
            for (String linear : new String[] {
                "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"
            }) {
                assertShape(prefix + linear + ".weight", 384, 384);
                assertShape(prefix + linear + ".bias", 384);
            }
            assertShape(prefix + "intermediate.dense.weight", 1536, 384);
            assertShape(prefix + "output.dense.weight", 384, 1536);
            assertShape(prefix + "output.LayerNorm.weight", 384);
        }
        assertShape("embeddings.word_embeddings.weight", 30522, 384);
    }

    @ParameterizedTest
    @CsvSource({
        "embeddings.word_embeddings.weight, -0.019989013671875, -0.0034027099609375, 138.05072214923618",
        "embeddings.LayerNorm.weight, 0.5989283323287964, 0.583594799041748, 236.85435231029987",
        "encoder.layer.0.attention.self.query.weight, -0.1486196219921112, 0.043580375611782074, 13.52819408863644",
        "encoder.layer.3.intermediate.dense.weight, -0.13158251345157623, -0.06239306181669235, 229.81509488688624",
        "encoder.layer.5.output.dense.weight, -0.056546345353126526, 0.009879817254841328, -53.19849107446487",
        "encoder.layer.5.output.dense.bias, -0.001134294318035245, -0.013268805108964443, 1.1643950974084873",
    })
    void valuesAreThoseOfTheReferenceConversion(String name, float first, float second, double sum) {
        float[] values = encoder.find(name).toFloats();
        double total = 0;
        for (float value : values) {
            total += value;
        }

        assertThat(values[0]).isEqualTo(first);
        assertThat(values[1]).isEqualTo(second);
        assertThat(total).isEqualTo(sum, within(1e-6));
    }

    private static void assertShape(String name, int... dims) {
        StoredTensor tensor = encoder.find(name);
        assertThat(tensor.shape()).as(name).isEqualTo(Shape.of(dims));
    }
}
