package io.peftj.djl.backbone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.PeftException;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.adapter.Pooling;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.io.Json;
import io.peftj.core.io.StoredTensor;
import io.peftj.core.io.TensorSource;
import io.peftj.core.site.OutputRange;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Shape;
import io.peftj.testkit.contract.RandomTensors;
import io.peftj.testkit.reference.ReferenceBackend;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What config.json files say, and what is refused of it. */
class FamiliesTest {
    private static final String SIZES = """
            "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 24, "vocab_size": 24,
            "max_position_embeddings": 32, "n_embd": 16, "n_layer": 2, "n_head": 4, "n_positions": 32""";

    /** Keys given later replace those given before. */
    private static ConfigReader config(String... objects) {
        JsonObject all = new JsonObject();
        for (String keys : objects) {
            Json.parse("{" + keys + "}", "config.json")
                    .entrySet()
                    .forEach(entry -> all.add(entry.getKey(), entry.getValue()));
        }
        return ConfigReader.of(all, "config.json");
    }

    private static BackboneSpec spec(String type, String architecture, String... more) {
        List<String> objects = new ArrayList<>(List.of(SIZES, named(type, architecture)));
        objects.addAll(List.of(more));
        return Backbones.spec(config(objects.toArray(String[]::new)));
    }

    private static String named(String type, String architecture) {
        return "\"model_type\": \"" + type + "\", \"architectures\": [\"" + architecture + "\"]";
    }

    // ---- what members of a family differ in ----

    @Test
    void qwen2HasBiasesOnQueriesKeysAndValuesAlone() {
        List<String> biased = spec("qwen2", "Qwen2ForCausalLM").sites().stream()
                .filter(Site::bias)
                .map(Site::name)
                .toList();

        assertThat(biased).hasSize(6).allMatch(name -> name.matches("model\\.layers\\.\\d\\.self_attn\\.[qkv]_proj"));
    }

    @Test
    void qwen3HasNormsOnHeadsOfTheirOwnWidth() {
        BackboneSpec given = spec("qwen3", "Qwen3ForCausalLM", "\"head_dim\": 6, \"num_key_value_heads\": 2");

        assertThat(given.parameters()).containsEntry("model.layers.1.self_attn.k_norm.weight", Shape.of(6));
        assertThat(given.site("model.layers.0.self_attn.q_proj").out()).isEqualTo(24);
        assertThat(given.keyValueWidth()).isEqualTo(12);
        assertThat(spec("qwen3", "Qwen3ForCausalLM").headDim()).isEqualTo(128);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "llama | Llama | \"sliding_window\": 7 | 32",
                "mistral | Mistral | \"sliding_window\": 7 | 7",
                "mistral | Mistral | \"sliding_window\": null | 32",
                "mistral | Mistral | \"max_position_embeddings\": 32768 | 4096",
                "qwen2 | Qwen2 | \"sliding_window\": 7 | 32",
                "qwen2 | Qwen2 | \"sliding_window\": 7, \"use_sliding_window\": true | 32",
                "qwen2 | Qwen2 | \"sliding_window\": 7, \"use_sliding_window\": true, \"max_window_layers\": 1 | 7",
                "qwen3 | Qwen3 | \"sliding_window\": 7, \"use_sliding_window\": true, \"layer_types\": [\"full_attention\"] | 32",
                "qwen3 | Qwen3 | \"sliding_window\": 7, \"use_sliding_window\": true, \"layer_types\": [\"sliding_attention\"] | 7",
                "bert | Bert | | 32",
                "roberta | Roberta | | 30",
                "roberta | Roberta | \"pad_token_id\": 3 | 28"
            })
    void rowsAreAsLongAsPositionsAndWindowsAllow(String type, String classes, String more, int positions) {
        String kind = type.endsWith("bert") || type.endsWith("roberta") ? "Model" : "ForCausalLM";

        BackboneSpec spec = spec(type, classes + kind, more == null ? "" : more);

        assertThat(spec.positions()).isEqualTo(positions);
    }

    @Test
    void gpt2MakesQueriesKeysAndValuesInOneLayer() {
        BackboneSpec spec = spec("gpt2", "GPT2LMHeadModel");
        Site fused = spec.site("transformer.h.1.attn.c_attn");

        assertThat(spec.outputs(Role.QUERY)).contains(new OutputRange(fused, 0, 16));
        assertThat(spec.outputs(Role.KEY)).contains(new OutputRange(fused, 16, 32));
        assertThat(spec.outputs(Role.VALUE)).contains(new OutputRange(fused, 32, 48));
        assertThat(spec.parameters()).containsEntry(fused.weightName(), Shape.of(48, 16));
        assertThat(spec.shapeInFiles(fused.weightName())).isEqualTo(Shape.of(16, 48));
    }

    @Test
    void bareModelsHaveNamesWithoutAPrefixAndNoLogits() {
        assertThat(spec("gpt2", "GPT2Model").sites()).extracting(Site::name).contains("wte", "h.0.attn.c_attn");
        assertThat(spec("qwen2", "Qwen2Model").sites())
                .extracting(Site::name)
                .contains("embed_tokens", "layers.0.self_attn.q_proj")
                .doesNotContain("lm_head");
        assertThat(spec("xlm-roberta", "XLMRobertaModel").sites())
                .extracting(Site::name)
                .contains("embeddings.word_embeddings", "encoder.layer.0.attention.self.query");
        assertThat(spec("gpt2", "GPT2Model").isBare()).isTrue();
    }

    @Test
    void robertasHeadHasAHiddenLayerAlsoWhereAdaptersBringIt() {
        HeadSpec head = new HeadSpec("classifier", 2, 16, true, Pooling.FIRST, true);
        BackboneSpec own = spec("roberta", "RobertaForSequenceClassification");
        BackboneSpec published = spec("roberta", "RobertaForMaskedLM");

        assertThat(own.head()).isEqualTo(head);
        assertThat(own.sites(Role.HEAD))
                .extracting(Site::name)
                .containsExactly("classifier.dense", "classifier.out_proj");
        assertThat(published.sites(Role.HEAD)).isEmpty();
        assertThat(published.withHead(published.headFor(2)).sites(Role.HEAD)).isEqualTo(own.sites(Role.HEAD));
    }

    // ---- what is refused ----

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "gpt2 | GPT2LMHeadModel | \"activation_function\": \"mish\" | activation_function \"mish\"",
                "gpt2 | GPT2LMHeadModel | \"add_cross_attention\": true | add_cross_attention",
                "gpt2 | GPT2LMHeadModel | \"n_head\": 3 | a divisor of n_embd, 16",
                "gpt2 | GPT2DoubleHeadsModel | | architecture GPT2DoubleHeadsModel",
                "qwen2 | Qwen2ForCausalLM | \"hidden_act\": \"relu2\" | hidden_act \"relu2\"",
                "qwen2 | Qwen3ForCausalLM | | architecture Qwen3ForCausalLM",
                "qwen2 | Qwen2ForCausalLM | \"layer_types\": [\"chunked_attention\"] | layer_types of config.json names \"chunked_attention\"",
                "qwen3 | Qwen3ForCausalLM | \"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4} | rope type \"yarn\"",
                "qwen3 | Qwen3ForCausalLM | \"rope_parameters\": {\"mrope_section\": [1, 2]} | the key \"mrope_section\"",
                "llama | LlamaForCausalLM | \"rope_parameters\": {\"partial_rotary_factor\": 0.5} | partial_rotary_factor 0.5",
                "roberta | RobertaForSequenceClassification | \"position_embedding_type\": \"relative_key\" | position_embedding_type \"relative_key\"",
                "roberta | RobertaForSequenceClassification | \"is_decoder\": true | is_decoder",
                "roberta | RobertaForTokenClassification | | architecture RobertaForTokenClassification",
                "bert | BertForMaskedLM | | architecture BertForMaskedLM",
                "gpt_neox | GPTNeoXForCausalLM | | model_type \"gpt_neox\""
            })
    void whatIsNotImplementedIsRefusedByName(String type, String architecture, String more, String named) {
        assertThatThrownBy(() -> spec(type, architecture, more == null ? "" : more))
                .isInstanceOf(PeftException.class)
                .hasMessageContaining(named);
    }

    @Test
    void aQuantisedModelIsRefused() {
        assertThatThrownBy(() -> spec("gpt2", "GPT2LMHeadModel", "\"quantization_config\": {\"bits\": 4}"))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("quantization_config");
    }

    @Test
    void tokenTypesThatTheModelLacksAreRefused() {
        ConfigReader config =
                config(SIZES, named("roberta", "RobertaForSequenceClassification"), "\"type_vocab_size\": 1");
        try (Backbone base = open(config, RandomTensors.of(Backbones.spec(config), 1))) {
            assertThatThrownBy(() -> PaddedLogits.of(
                            base, null, base.spec().head(), 2, new long[] {5, 6}, new long[] {1, 1}, new long[] {0, 1}))
                    .isInstanceOf(PeftException.class)
                    .hasMessageContaining("a token has the type 1, but the model has type 0 alone");
        }
    }

    // ---- names in files ----

    /** GPT-2's published weights are those of the bare model. */
    @Test
    void filesMayLeaveThePrefixOutThatConfigJsonGives() {
        ConfigReader config = config(SIZES, named("gpt2", "GPT2LMHeadModel"));
        RandomTensors tensors = RandomTensors.of(Backbones.spec(config), 1);
        try (Backbone usual = open(config, tensors);
                Backbone published = open(config, new WithoutPrefix(tensors))) {
            assertThat(logits(published)).isEqualTo(logits(usual));
            assertThat(published.fingerprint()).isEqualTo(usual.fingerprint());
        }
    }

    private static Backbone open(ConfigReader config, TensorSource tensors) {
        return Backbones.load(config, tensors, null, ReferenceBackend.exact(), DType.F32, () -> {});
    }

    private static float[] logits(Backbone base) {
        return PaddedLogits.of(base, null, null, 3, new long[] {5, 6, 7}, new long[] {1, 1, 1}, null)
                .values();
    }

    private record WithoutPrefix(TensorSource tensors) implements TensorSource {
        private static final String PREFIX = "transformer.";

        @Override
        public String description() {
            return tensors.description();
        }

        @Override
        public List<String> names() {
            return tensors.names().stream()
                    .map(name -> name.replace(PREFIX, ""))
                    .toList();
        }

        @Override
        public boolean contains(String name) {
            return !name.startsWith(PREFIX) && tensors.contains(PREFIX + name);
        }

        @Override
        public StoredTensor find(String name) {
            return tensors.find(PREFIX + name);
        }

        @Override
        public void close() {
            tensors.close();
        }
    }
}
