package io.peftj.core.io;

import static io.peftj.core.io.SafetensorsBytes.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.InvalidFileException;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelDirectoryTest {
    @TempDir
    private Path folder;

    @BeforeEach
    void writeConfig() throws IOException {
        Files.writeString(folder.resolve("config.json"), json("{'model_type':'llama'}"));
    }

    @Test
    void shardsAreOneModel() throws IOException {
        shard("model-1.safetensors", "b", "a");
        shard("model-2.safetensors", "c");
        index("'a':'model-1.safetensors','b':'model-1.safetensors','c':'model-2.safetensors'");

        try (ModelDirectory model = ModelDirectory.open(folder)) {
            assertThat(model.names()).containsExactly("a", "b", "c");
            assertThat(model.find("c").toFloats()).containsExactly(1);
            assertThat(model.contains("d")).isFalse();
            assertThat(model.config().requiredString("model_type")).isEqualTo("llama");
            assertThat(model.tokenizerFile()).isEmpty();
            assertThat(model.folder()).isEqualTo(folder);
            assertThatThrownBy(() -> model.find("d"))
                    .isInstanceOf(InvalidFileException.class)
                    .hasMessageStartingWith(
                            model.description() + ": expected a tensor \"d\", found none of 3 by this name;"
                                    + " nearest: \"a\", \"b\", \"c\"");
        }
    }

    @Test
    void theChatTemplateStandsInOneOfTwoFiles() throws IOException {
        shard("model.safetensors", "a");
        try (ModelDirectory model = ModelDirectory.open(folder)) {
            assertThat(model.tokenizerConfig()).isEmpty();

            Files.writeString(
                    folder.resolve("tokenizer_config.json"), json("{'bos_token':'<s>','chat_template':'old'}"));
            assertThat(model.tokenizerConfig().orElseThrow().requiredString("chat_template"))
                    .isEqualTo("old");

            Files.writeString(folder.resolve("chat_template.jinja"), "{{ new }}");
            assertThat(model.tokenizerConfig().orElseThrow().requiredString("chat_template"))
                    .isEqualTo("{{ new }}");
            assertThat(model.tokenizerConfig().orElseThrow().requiredString("bos_token"))
                    .isEqualTo("<s>");
        }
    }

    @Test
    void aClosedModelFindsNoMore() throws IOException {
        shard("model.safetensors", "a");
        Files.writeString(folder.resolve("tokenizer.json"), "{}");
        ModelDirectory model = ModelDirectory.open(folder);
        assertThat(model.tokenizerFile()).contains(folder.resolve("tokenizer.json"));

        model.close();

        assertThatIllegalStateException().isThrownBy(() -> model.find("a")).withMessageContaining("which was closed");
    }

    @Test
    void theReferenceShardsHaveTheShapesOfTheirConfig() {
        try (ModelDirectory model = ModelDirectory.open(Reference.fixtures().resolve("llama-v4-sharded/base"))) {
            ConfigReader config = model.config();
            int width = config.requiredInt("hidden_size");

            assertThat(model.names()).hasSize(2 + 1 + 9 * config.requiredInt("num_hidden_layers"));
            StoredTensor embedding = model.find("model.embed_tokens.weight");
            assertThat(embedding.type()).isEqualTo(StoredType.BF16);
            assertThat(embedding.shape()).isEqualTo(Shape.of(config.requiredInt("vocab_size"), width));
            assertThat(model.find("model.norm.weight").toHostTensor().values())
                    .hasSize(width)
                    .doesNotContain(Float.NaN);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../model.safetensors",
                "/etc/model.safetensors",
                "a/b.safetensors",
                "a\\\\b.safetensors",
                ".safetensors",
                "..safetensors",
                "C:model.safetensors",
                "model.bin",
                "model\\u0000.safetensors",
                ""
            })
    void aShardOutsideTheFolderIsRefused(String shard) throws IOException {
        index("'a':'" + shard + "'");

        assertThatThrownBy(() -> ModelDirectory.open(folder))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("model.safetensors.index.json: expected the plain name of a .safetensors file for"
                        + " tensor \"a\", found \"")
                .hasMessageEndingWith("\"; the index is damaged or hostile, download it again");
    }

    @Test
    void anIndexThatDisagreesWithItsShardsIsRefused() throws IOException {
        shard("model-1.safetensors", "a");
        shard("model-2.safetensors", "a", "b");

        index("'a':'model-1.safetensors','b':'model-2.safetensors'");
        assertThatThrownBy(() -> ModelDirectory.open(folder))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("expected tensor \"a\" in model-2.safetensors, which holds it, found it in"
                        + " model-1.safetensors; download the index and all shards again");

        index("'b':'model-2.safetensors'");
        assertThatThrownBy(() -> ModelDirectory.open(folder)).hasMessageContaining("which holds it, found it nowhere");

        index("'a':'model-1.safetensors','c':'model-1.safetensors'");
        assertThatThrownBy(() -> ModelDirectory.open(folder))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage(
                        "model-1.safetensors: expected tensor \"c\", as model.safetensors.index.json says, found none"
                                + " by that name; download the index and all shards again");

        index("'a':'model-1.safetensors','a':'model-2.safetensors'");
        assertThatThrownBy(() -> ModelDirectory.open(folder))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("key \"a\" at $.weight_map.a occurs twice");
    }

    @Test
    void aMissingShardIsNamed() throws IOException {
        index("'a':'model-00001-of-00002.safetensors'");

        assertThatThrownBy(() -> ModelDirectory.open(folder))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("model-00001-of-00002.safetensors does not exist, expected a readable file");
    }

    @Test
    void anIndexWithoutAMapIsRefused() throws IOException {
        Files.writeString(folder.resolve("model.safetensors.index.json"), "{}");

        assertThatThrownBy(() -> ModelDirectory.open(folder))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("expected an object under \"weight_map\", found no such key");
    }

    @ParameterizedTest
    @ValueSource(strings = {"pytorch_model.bin", "pytorch_model.bin.index.json"})
    void pickledWeightsAreRefusedWithTheirConversion(String name) throws IOException {
        Files.createFile(folder.resolve(name));

        assertThatThrownBy(() -> ModelDirectory.open(folder))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining(name + ": expected safetensors, found a pickle")
                .hasMessageContaining("from_pretrained('.').save_pretrained('.')");
    }

    @Test
    void aFolderWithoutItsPartsIsRefused() throws IOException {
        Path file = folder.resolve("config.json");
        assertThatThrownBy(() -> ModelDirectory.open(folder))
                .hasMessageContaining("expected model.safetensors or model.safetensors.index.json, found neither");
        assertThatThrownBy(() -> ModelDirectory.open(file))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage(file + ": expected a model's folder with config.json and model.safetensors, found a file by"
                        + " that name; check the path");
        Files.delete(file);
        assertThatThrownBy(() -> ModelDirectory.open(folder)).hasMessageContaining("config.json does not exist");
    }

    private void shard(String file, String... names) {
        Map<String, HostTensor> tensors = new HashMap<>();
        for (String name : names) {
            tensors.put(name, HostTensor.of(Shape.of(1), 1));
        }
        SafetensorsWriter.write(folder.resolve(file), tensors, Map.of());
    }

    private void index(String weightMap) throws IOException {
        Files.writeString(folder.resolve("model.safetensors.index.json"), json("{'weight_map':{" + weightMap + "}}"));
    }
}
