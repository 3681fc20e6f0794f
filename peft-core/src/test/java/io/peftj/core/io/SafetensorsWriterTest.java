package io.peftj.core.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
    @TempDir
    private Path folder;

    @Test
    void whatIsWrittenIsReadBack() {
        Path file = folder.resolve("new/adapter_model.safetensors");
        HostTensor weight = HostTensor.of(Shape.of(2, 2), 1, -0f, Float.MIN_VALUE, Float.NaN);
        Map<String, String> metadata = Map.of("format", "pt", "labels", "[\"Größe\", \"\\u2028\"]");

        SafetensorsWriter.write(file, Map.of("w", weight, "scalar", HostTensor.of(Shape.SCALAR, 3)), metadata);

        try (Safetensors read = Safetensors.open(file)) {
            assertThat(read.metadata()).isEqualTo(metadata);
            assertThat(read.names()).containsExactly("scalar", "w");
            assertThat(read.find("w").toHostTensor().values()).containsExactly(weight.values());
            assertThat(read.find("w").shape()).isEqualTo(Shape.of(2, 2));
            assertThat(read.find("scalar").toHostTensor().shape()).isEqualTo(Shape.SCALAR);
        }
    }

    @Test
    void wideTypesComeFirstAndTheDataIsAligned() throws IOException {
        Path file = folder.resolve("inputs.safetensors");

        SafetensorsWriter.write(
                file,
                List.of(
                        StoredTensor.bf16("a", HostTensor.of(Shape.of(3), 1, 2, 3.0078125f)),
                        StoredTensor.f32("b", HostTensor.of(Shape.of(1), 4)),
                        StoredTensor.i64("c", Shape.of(2), 5, -6)),
                Map.of());

        try (Safetensors read = Safetensors.open(file)) {
            assertThat(read.names()).containsExactly("c", "b", "a");
            assertThat(read.find("a").type()).isEqualTo(StoredType.BF16);
            assertThat(read.find("a").toFloats()).containsExactly(1, 2, 3);
            assertThat(read.find("b").toFloats()).containsExactly(4);
            assertThat(read.find("c").toLongs()).containsExactly(5, -6);
        }
        byte[] bytes = Files.readAllBytes(file);
        assertThat(bytes[0] % 8).isZero();
        assertThat(new String(bytes, 8, 80, StandardCharsets.UTF_8))
                .startsWith("{\"c\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[0,16]},\"b\":");
    }

    @Test
    void everyReferenceFileIsWrittenByteForByte() throws IOException {
        for (Path reference : Reference.files("adapter_model.safetensors")) {
            Path copy = folder.resolve("copy.safetensors");
            try (Safetensors read = Safetensors.open(reference)) {
                List<StoredTensor> tensors =
                        read.names().stream().map(read::find).toList();
                SafetensorsWriter.write(copy, tensors, read.metadata());
            }
            assertThat(copy).as("%s", reference).hasSameBinaryContentAs(reference);
        }
    }

    @Test
    void decodedValuesOfAReferenceFileAreEncodedToTheSameBytes() throws IOException {
        Path shard = Reference.fixtures().resolve("llama-v4-sharded/base/model-00001-of-00004.safetensors");
        Path copy = folder.resolve("copy.safetensors");

        try (Safetensors read = Safetensors.open(shard)) {
            List<StoredTensor> tensors = read.names().stream()
                    .map(name -> StoredTensor.bf16(name, read.find(name).toHostTensor()))
                    .toList();
            SafetensorsWriter.write(copy, tensors, read.metadata());
        }

        assertThat(copy).hasSameBinaryContentAs(shard);
    }

    @Test
    void namesThatNoFileCanHoldAreRefused() {
        StoredTensor a = StoredTensor.i64("a", Shape.of(1), 1);
        StoredTensor reserved = StoredTensor.i64("__metadata__", Shape.of(1), 1);
        StoredTensor surrogate = StoredTensor.i64("\ud800", Shape.of(1), 1);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> SafetensorsWriter.content(List.of(a, a), Map.of()))
                .withMessage("expected tensors of different names, none called __metadata__, found \"a\" again");
        assertThatIllegalArgumentException().isThrownBy(() -> SafetensorsWriter.content(List.of(reserved), Map.of()));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SafetensorsWriter.content(List.of(surrogate), Map.of()))
                .withMessageContaining("half a surrogate pair");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> StoredTensor.i64("b", Shape.of(2), 1))
                .withMessage("tensor \"b\": shape [2] has 2 elements, but 1 values were given");
    }
}
