package io.peftj.core.io.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.core.io.Safetensors;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Random blocks of every type, with the values that ggml's Python package makes of them. */
class GgufTypeTest {
    @ParameterizedTest
    @EnumSource
    void valuesAreThoseOfGgmlBitForBit(GgufType type) throws IOException {
        GgufFile file = GgufFile.of(resource("all-types.gguf"), "all-types.gguf");
        try (Safetensors expected = Safetensors.of(resource("all-types.safetensors"), "all-types.safetensors")) {
            GgufFile.Tensor tensor = Objects.requireNonNull(file.tensors().get(type.name()));

            assertThat(tensor.entry().type()).isEqualTo(type);
            assertThat(tensor.entry().shape())
                    .isEqualTo(expected.find(type.name()).shape());
            ByteBuffer values = type.dequantise(tensor.bytes());
            assertThat((long) values.remaining())
                    .isEqualTo(4 * tensor.entry().shape().size());
            assertThat(bits(floats(values)))
                    .isEqualTo(bits(expected.find(type.name()).toFloats()));
        }
    }

    private static float[] floats(ByteBuffer values) {
        float[] floats = new float[values.remaining() / Float.BYTES];
        values.asFloatBuffer().get(floats);
        return floats;
    }

    private static int[] bits(float... values) {
        int[] bits = new int[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToRawIntBits(values[i]);
        }
        return bits;
    }

    private static ByteBuffer resource(String name) throws IOException {
        try (InputStream in = GgufTypeTest.class.getResourceAsStream(name)) {
            return ByteBuffer.wrap(Objects.requireNonNull(in).readAllBytes());
        }
    }
}
