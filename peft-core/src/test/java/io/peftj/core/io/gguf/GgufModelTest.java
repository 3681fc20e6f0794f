package io.peftj.core.io.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import io.peftj.core.InvalidFileException;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.io.Json;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GgufModelTest {
    private static final int WIDTH = 4;
    private static final int FEED_FORWARD = 6;
    private static final int VOCABULARY = 7;

    /** A model of one layer with two heads of width 2 over one head of keys; every value of a matrix is the number of its row. */
    record Model(String architecture, GgufBytes bytes) {
        Model(String architecture) {
            this(architecture, new GgufBytes());
            bytes.key("general.architecture", architecture);
            set("context_length", 32).set("embedding_length", WIDTH).set("feed_forward_length", FEED_FORWARD);
            set("block_count", 1).set("attention.head_count", 2).set("attention.head_count_kv", 1);
            set("attention.layer_norm_rms_epsilon", 1e-6f).set("rope.freq_base", 500000f);
            matrix("token_embd.weight", VOCABULARY, WIDTH).matrix("blk.0.attn_q.weight", 8, WIDTH);
            matrix("blk.0.attn_k.weight", 4, WIDTH).matrix("blk.0.ffn_up.weight", FEED_FORWARD, WIDTH);
        }

        Model set(String setting, Object value) {
            return key(architecture + "." + setting, value);
        }

        Model key(String key, Object value) {
            bytes.key(key, value);
            return this;
        }

        Model matrix(String name, int rows, int columns) {
            float[] values = new float[rows * columns];
            for (int i = 0; i < values.length; i++) {
                int row = i / columns;
                values[i] = row;
            }
            bytes.f32(name, values, rows, columns);
            return this;
        }

        Model vector(String name, float... values) {
            bytes.f32(name, values, values.length);
            return this;
        }

        /** Byte-level tokens with one pair. */
        Model withTokenizer() {
            return key("tokenizer.ggml.model", "gpt2")
                    .key("tokenizer.ggml.pre", "gpt-2")
                    .key("tokenizer.ggml.tokens", List.of("<s>", "a", "b", "ab", "</s>", "<end>", "c"))
                    .key("tokenizer.ggml.token_type", List.of(3, 1, 1, 1, 3, 3, 1))
                    .key("tokenizer.ggml.merges", List.of("a b"))
                    .key("tokenizer.ggml.bos_token_id", 0)
                    .key("tokenizer.ggml.eos_token_id", 4)
                    .key("tokenizer.ggml.eot_token_id", 5)
                    .key("tokenizer.chat_template", "{{ messages }}");
        }

        GgufModel read() {
            return GgufModel.of(ByteBuffer.wrap(bytes.toArray()), "test.gguf");
        }
    }

    private static List<Integer> rows(GgufModel model, String name) {
        float[] values = model.tensors().find(name).toFloats();
        int columns = values.length / model.tensors().find(name).shape().dim(0);
        return IntStream.range(0, values.length / columns)
                .mapToObj(row -> (int) values[row * columns])
                .toList();
    }

    // ---- tensors ----

    @Test
    void tensorsHaveHuggingFacesNames() {
        Model model = new Model("qwen3")
                .vector("blk.0.attn_q_norm.weight", 1, 1)
                .vector("output_norm.weight", 1, 1, 1, 1)
                .matrix("output.weight", VOCABULARY, WIDTH);

        assertThat(model.read().tensors().names())
                .containsExactly(
                        "model.embed_tokens.weight",
                        "model.layers.0.self_attn.q_proj.weight",
                        "model.layers.0.self_attn.k_proj.weight",
                        "model.layers.0.mlp.up_proj.weight",
                        "model.layers.0.self_attn.q_norm.weight",
                        "model.norm.weight",
                        "lm_head.weight");
    }

    @Test
    void llamasInterleavedHalvesOfHeadsAreTakenApart() {
        GgufModel model = new Model("llama")
                .vector("blk.0.attn_q.bias", 0, 1, 2, 3, 4, 5, 6, 7)
                .read();

        assertThat(rows(model, "model.layers.0.self_attn.q_proj.weight")).containsExactly(0, 2, 1, 3, 4, 6, 5, 7);
        assertThat(rows(model, "model.layers.0.self_attn.q_proj.bias")).containsExactly(0, 2, 1, 3, 4, 6, 5, 7);
        assertThat(rows(model, "model.layers.0.self_attn.k_proj.weight")).containsExactly(0, 2, 1, 3);
        assertThat(rows(model, "model.layers.0.mlp.up_proj.weight")).containsExactly(0, 1, 2, 3, 4, 5);
    }

    @ParameterizedTest
    @CsvSource({"qwen2", "qwen3"})
    void theOtherArchitecturesRowsStayInOrder(String architecture) {
        GgufModel model = new Model(architecture).read();

        assertThat(rows(model, "model.layers.0.self_attn.q_proj.weight")).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
    }

    @Test
    void rowsThatAreNoHeadsAreRefused() {
        GgufModel model =
                new Model("llama").vector("blk.0.attn_k.bias", 1, 2, 3).read();

        assertThatThrownBy(() -> model.tensors()
                        .find("model.layers.0.self_attn.k_proj.bias")
                        .toFloats())
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining(
                        "rows of tensor \"blk.0.attn_k.bias\" for 1 heads of an even width, found 3 rows");
    }

    // ---- settings ----

    @Test
    void settingsAreThoseOfConfigJson() {
        ConfigReader config = new Model("llama").withTokenizer().read().config();

        JsonObject expected = Json.parse("""
                {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 7, "hidden_size": 4,
                 "intermediate_size": 6, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1,
                 "head_dim": 2, "max_position_embeddings": 32, "rms_norm_eps": 1e-6, "attention_bias": false,
                 "mlp_bias": false, "tie_word_embeddings": true, "bos_token_id": 0, "eos_token_id": [4, 5],
                 "rope_parameters": {"rope_theta": 500000.0, "rope_type": "default"}}""", "expected");
        assertThat(Json.parse(Json.write(config.json()), "found"))
                .isEqualTo(Json.parse(Json.write(expected), "expected"));
    }

    @Test
    void whatTheFileHoldsDecidesAboutBiasesAndTheOutputEmbedding() {
        ConfigReader config = new Model("llama")
                .matrix("output.weight", VOCABULARY, WIDTH)
                .vector("blk.0.attn_q.bias", new float[8])
                .vector("blk.0.ffn_up.bias", new float[FEED_FORWARD])
                .read()
                .config();

        assertThat(config.optionalBoolean("tie_word_embeddings", true)).isFalse();
        assertThat(config.optionalBoolean("attention_bias", false)).isTrue();
        assertThat(config.optionalBoolean("mlp_bias", false)).isTrue();
    }

    @Test
    void headsWindowsAndScalingsComeFromTheirKeys() {
        ConfigReader config = new Model("qwen3")
                .set("attention.key_length", 6)
                .set("attention.value_length", 6)
                .set("attention.sliding_window", 16)
                .set("rope.scaling.type", "linear")
                .set("rope.scaling.factor", 2f)
                .set("expert_count", 0)
                .vector("rope_freqs.weight", 1, 4, 8)
                .read()
                .config();

        assertThat(config.requiredInt("head_dim")).isEqualTo(6);
        assertThat(config.requiredInt("max_position_embeddings")).isEqualTo(16);
        ConfigReader rope = config.requiredObject("rope_parameters");
        assertThat(rope.requiredString("rope_type")).isEqualTo("linear");
        assertThat(rope.requiredDouble("factor")).isEqualTo(2);
        assertThat(rope.doubles("frequency_factors")).containsExactly(1.0, 4.0, 8.0);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "expert_count | 8 | no such setting, since it is not implemented under \"llama.expert_count\", found 8",
                "attention.scale | 2 | under \"llama.attention.scale\", found 2",
                "rope.dimension_count | 1 | 2, the width of a head's keys under \"llama.rope.dimension_count\"",
                "attention.value_length | 4 | 2, the width of a head's keys under \"llama.attention.value_length\""
            })
    void settingsThatAreNotImplementedAreRefusedByName(String setting, int value, String message) {
        assertThatThrownBy(() -> new Model("llama").set(setting, value).read().config())
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining(message);
    }

    @Test
    void otherArchitecturesScalingsPartsAndTensorsAreRefusedByName() {
        assertThatThrownBy(() -> new Model("gemma2").read())
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("one of [llama, qwen2, qwen3] under \"general.architecture\", found \"gemma2\"");
        assertThatThrownBy(() -> new Model("llama")
                        .set("rope.scaling.type", "yarn")
                        .read()
                        .config())
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("none or linear under \"llama.rope.scaling.type\", found \"yarn\"");
        assertThatThrownBy(() -> new Model("llama").key("split.count", 2).read())
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("a model in one file under \"split.count\", found 2");
        assertThatThrownBy(() -> new Model("llama")
                        .vector("blk.0.ffn_gate_inp.weight", 1)
                        .read())
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("found \"blk.0.ffn_gate_inp.weight\", which is not implemented");
        assertThatThrownBy(() -> GgufModel.of(
                                ByteBuffer.wrap(new GgufBytes()
                                        .key("general.architecture", "llama")
                                        .toArray()),
                                "empty.gguf")
                        .config())
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("empty.gguf: expected a tensor \"token_embd.weight\", found none");
    }

    // ---- tokenizers ----

    @Test
    void specialTokensAndTheChatTemplateAreKept() {
        ConfigReader config = new Model("llama").withTokenizer().read().tokenizerConfig();

        assertThat(config.requiredString("bos_token")).isEqualTo("<s>");
        assertThat(config.requiredString("eos_token")).isEqualTo("</s>");
        assertThat(config.requiredString("chat_template")).isEqualTo("{{ messages }}");
        assertThat(new Model("llama").read().tokenizer()).isEmpty();
    }

    @Test
    void vocabulariesThatAreNotKnownAreRefusedByName() {
        assertThatThrownBy(() -> new Model("llama")
                        .key("tokenizer.ggml.model", "t5")
                        .key("tokenizer.ggml.tokens", List.of("a"))
                        .read()
                        .tokenizer())
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("gpt2 or llama under \"tokenizer.ggml.model\", found \"t5\"");
        assertThatThrownBy(() -> new Model("llama")
                        .key("tokenizer.ggml.model", "gpt2")
                        .key("tokenizer.ggml.pre", "tekken")
                        .key("tokenizer.ggml.tokens", List.of("a"))
                        .read()
                        .tokenizer())
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("under \"tokenizer.ggml.pre\", found \"tekken\"");
        assertThatThrownBy(() -> new Model("llama")
                        .key("tokenizer.ggml.tokens", List.of("a", "a"))
                        .read()
                        .tokenizer())
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("each token once");
    }
}
