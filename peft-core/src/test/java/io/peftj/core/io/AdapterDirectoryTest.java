package io.peftj.core.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import io.peftj.core.InvalidFileException;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AdapterDirectoryTest {
    @TempDir
    private Path folder;

    @Test
    void anAdapterIsWrittenAndReadBack() {
        Path adapter = folder.resolve("intents");
        JsonObject config = new JsonObject();
        config.addProperty("peft_type", "LORA");
        StoredTensor tensor = StoredTensor.f32("w", HostTensor.of(Shape.of(1), 2));

        AdapterDirectory.write(adapter, config, List.of(tensor), Map.of("format", "pt"));

        try (AdapterDirectory read = AdapterDirectory.open(adapter)) {
            assertThat(read.config()).isEqualTo(config);
            assertThat(read.tensors().metadata()).containsEntry("format", "pt");
            assertThat(read.tensors().find("w").toFloats()).containsExactly(2);
        }
    }

    @Test
    void aReferenceAdapterIsCopiedByteForByte() throws IOException {
        Path reference = Reference.fixtures().resolve("llama/lora");
        try (AdapterDirectory read = AdapterDirectory.open(reference)) {
            List<StoredTensor> tensors =
                    read.tensors().names().stream().map(read.tensors()::find).toList();
            AdapterDirectory.write(
                    folder, read.config(), tensors, read.tensors().metadata());
        }

        for (String file : List.of("adapter_config.json", "adapter_model.safetensors")) {
            assertThat(folder.resolve(file)).hasSameBinaryContentAs(reference.resolve(file));
        }
    }

    @Test
    void aPickleIsRefusedWithItsConversion() throws IOException {
        Files.writeString(folder.resolve("adapter_config.json"), "{}");
        Files.createFile(folder.resolve("adapter_model.bin"));

        assertThatThrownBy(() -> AdapterDirectory.open(folder))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining(
                        "adapter_model.bin: expected safetensors, found a pickle, which can run any code"
                                + " when it is loaded and is never read; if you trust it, convert it once in its folder: python -c ")
                .hasMessageContaining("s.save_file(torch.load('adapter_model.bin', weights_only=True");
    }

    @Test
    void aMissingPartIsNamed() throws IOException {
        Path absent = folder.resolve("absent");

        assertThatThrownBy(() -> AdapterDirectory.open(absent))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage(absent + ": expected an adapter's folder with adapter_config.json and"
                        + " adapter_model.safetensors, found nothing by that name; check the path");
        assertThatThrownBy(() -> AdapterDirectory.open(folder))
                .hasMessageContaining("adapter_config.json does not exist");
        Files.writeString(folder.resolve("adapter_config.json"), "{}");
        assertThatThrownBy(() -> AdapterDirectory.open(folder))
                .hasMessageContaining("adapter_model.safetensors does not exist");
    }
}
