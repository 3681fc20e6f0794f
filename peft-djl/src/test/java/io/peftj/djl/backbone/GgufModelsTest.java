package io.peftj.djl.backbone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import io.peftj.core.InvalidFileException;
import io.peftj.core.io.Json;
import io.peftj.core.io.Safetensors;
import io.peftj.core.tensor.DType;
import io.peftj.testkit.reference.ReferenceBackend;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Small models that ggml's Python package wrote, with the logits and token ids that transformers got from them. */
class GgufModelsTest {
    @TempDir
    private Path folder;

    private ReferenceBackend backend;

    @BeforeEach
    void open() {
        backend = ReferenceBackend.exact();
    }

    private Path resource(String name) throws IOException {
        try (InputStream in = GgufModelsTest.class.getResourceAsStream(name)) {
            return Files.write(folder.resolve(name), Objects.requireNonNull(in).readAllBytes());
        }
    }

    private Backbone load(String name) throws IOException {
        return Backbones.load(resource(name + ".gguf"), backend, DType.F32);
    }

    /** Interleaved heads in Q4_0; the same in Q8_0 with tied embeddings and Llama 3.1's scaling; biases in Q5_1; head norms in F16. */
    @ParameterizedTest
    @ValueSource(strings = {"llama-spm", "llama3-bpe", "qwen2", "qwen3"})
    void logitsAreThoseOfTransformers(String name) throws IOException {
        try (Backbone base = load(name);
                Safetensors expected = Safetensors.open(resource(name + ".safetensors"))) {
            long[] ids = expected.find("input_ids").toLongs();
            long[] mask = new long[ids.length];
            Arrays.fill(mask, 1);

            float[] logits = PaddedLogits.of(base, null, null, ids.length, ids, mask, null)
                    .values();

            float[] wanted = expected.find("logits").toFloats();
            assertThat(logits).hasSameSizeAs(wanted).containsExactly(wanted, within(2e-4f));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama-spm", "llama3-bpe", "qwen2"})
    void textsAreCutAsTransformersCutsThem(String name) throws IOException {
        JsonObject expected = Json.read(resource("tokens.json")).getAsJsonObject(name);
        try (Backbone base = load(name)) {
            assertThat(expected.size()).isGreaterThan(4);
            for (String text : expected.keySet()) {
                int[] ids = StreamSupport.stream(expected.getAsJsonArray(text).spliterator(), false)
                        .mapToInt(id -> id.getAsInt())
                        .toArray();
                assertThat(base.tokenizer().encodePlain(text)).as(text).isEqualTo(ids);
            }
            assertThat(base.tokenizer().decode(base.tokenizer().encode("the red house")))
                    .isEqualTo("the red house");
        }
    }

    @Test
    void sentencePiecesTextsBeginWithATokenAndComposedCharactersAreOne() throws IOException {
        try (Backbone base = load("llama-spm")) {
            assertThat(base.tokenizer().encode("hello")[0]).isEqualTo(1);
        }
        try (Backbone base = load("qwen2")) {
            assertThat(base.tokenizer().encode("e\u0301"))
                    .isEqualTo(base.tokenizer().encode("\u00e9"))
                    .hasSize(2);
        }
    }

    @Test
    void endsOfTextsAndTurnsAndTheChatTemplateAreKept() throws IOException {
        try (Backbone base = load("llama3-bpe")) {
            assertThat(base.endTokens()).containsExactly(1, 286);
            assertThat(base.tokenizer().config().orElseThrow().requiredString("chat_template"))
                    .isEqualTo("{{ messages[0].content }}");
        }
    }

    @Test
    void aModelWithoutAVocabularyHasNoTokenizer() throws IOException {
        try (Backbone base = load("qwen3")) {
            assertThat(base.hasTokenizer()).isFalse();
        }
    }

    @Test
    void aDirectoryWithOneFileMeansTheFile() throws IOException {
        Path file = resource("qwen3.gguf");
        try (Backbone base = Backbones.load(folder, backend, DType.F32)) {
            assertThat(base.spec()).isEqualTo(Backbones.spec(file)).isEqualTo(Backbones.spec(folder));
            assertThat(base.spec().architecture()).isEqualTo("Qwen3ForCausalLM");
            assertThat(base.spec().tied()).isTrue();
        }

        resource("qwen2.gguf");

        assertThatThrownBy(() -> Backbones.load(folder, backend, DType.F32))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("expected one GGUF file, found [qwen2.gguf, qwen3.gguf]; give the path");
    }

    @Test
    void nothingStaysInMemoryWhetherAModelOpensOrNot() throws IOException {
        load("llama-spm").close();
        byte[] whole = Files.readAllBytes(resource("qwen2.gguf"));
        Path cut = Files.write(folder.resolve("cut.gguf"), Arrays.copyOf(whole, whole.length - 40));

        assertThatThrownBy(() -> Backbones.load(cut, backend, DType.F32))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("cut.gguf: expected a GGUF file with")
                .hasMessageContaining("it is damaged, copy or download it again");
        assertThat(backend.memory().liveBytes()).isZero();
    }
}
