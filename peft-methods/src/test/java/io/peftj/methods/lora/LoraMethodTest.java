package io.peftj.methods.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.InvalidFileException;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.io.Json;
import io.peftj.core.site.Targets;
import io.peftj.core.tensor.Shape;
import io.peftj.methods.TinyModels;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LoraMethodTest {
    private final LoraMethod method = new LoraMethod();

    private LoraConfig read(String json) {
        return method.read(Json.parse(json, "test"));
    }

    private List<String> stored(BackboneSpec spec, LoraConfig config) {
        return method.plan(spec, config).stored().stream()
                .map(ParameterSpec::name)
                .map(name -> name.replace("base_model.model.", ""))
                .toList();
    }

    private Shape shape(BackboneSpec spec, LoraConfig config, String end) {
        return method.plan(spec, config).stored().stream()
                .filter(parameter -> parameter.name().endsWith(end))
                .findFirst()
                .orElseThrow()
                .shape();
    }

    @Test
    void absentKeysMeanWhatPeftMeans() {
        LoraConfig config = read("{}");

        assertThat(config.rank()).isEqualTo(8);
        assertThat(config.alpha()).isEqualTo(8);
        assertThat(config.targets()).isNull();
        assertThat(config.taskType()).isNull();
    }

    @Test
    void everythingWrittenIsReadBack() {
        LoraConfig config = LoraConfig.builder()
                .rank(3)
                .alpha(4.5)
                .dropout(0.1)
                .targets("q_proj", "v_proj")
                .exclude(Targets.string(".*0.*"))
                .rankPattern(Map.of("q_proj", 2))
                .alphaPattern(Map.of("v_proj", 1.0))
                .layersToTransform(List.of(0, 2))
                .layersPattern(List.of("layers"))
                .bias(LoraBias.LORA_ONLY)
                .init(LoraInit.GAUSSIAN)
                .rankStabilised(true)
                .fanInFanOut(true)
                .modulesToSave(List.of("lm_head"))
                .taskType(TaskType.CAUSAL_LM)
                .build();

        JsonObject json = method.write(config);

        assertThat(method.read(json)).isEqualTo(config);
        assertThat(method.keys()).containsAll(json.keySet());
    }

    @Test
    void singleValuesStandForLists() {
        LoraConfig config =
                read("{\"target_modules\": [\"q_proj\"], \"layers_to_transform\": 1, \"layers_pattern\": \"layers\","
                        + " \"exclude_modules\": [], \"modules_to_save\": [\"score\", \"score\"]}");

        assertThat(config.layersToTransform()).containsExactly(1);
        assertThat(config.layersPattern()).containsExactly("layers");
        assertThat(config.exclude()).isNull();
        assertThat(config.modulesToSave()).containsExactly("score");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"use_qalora\": true",
                "\"lora_bias\": true",
                "\"ensure_weight_tying\": true",
                "\"alora_invocation_tokens\": [1]",
                "\"layer_replication\": [[0, 1]]",
                "\"target_parameters\": [\"w\"]",
                "\"loftq_config\": {\"loftq_bits\": 4}",
                "\"megatron_config\": {\"a\": 1}",
                "\"arrow_config\": {\"a\": 1}",
                "\"kasa_config\": {\"a\": 1}",
                "\"velora_config\": {\"a\": 1}",
                "\"monteclora_config\": {\"a\": 1}",
                "\"use_bdlora\": {\"a\": 1}"
            })
    void variantsAreRefusedByName(String entry) {
        String key = entry.substring(0, entry.indexOf(':'));

        assertThatThrownBy(() -> read("{" + entry + "}"))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageStartingWith("adapter_config.json: " + key + " is ")
                .hasMessageContaining("a variant of LoRA that is not implemented");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"pissa_niter_4\"", "\"corda\"", "\"lora_ga\"", "\"loftq\"", "3", "[true]"})
    void initialisationsThatChangeTheBaseAreRefused(String init) {
        assertThatThrownBy(() -> read("{\"init_lora_weights\": " + init + "}"))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageStartingWith(
                        "init_lora_weights: expected true, false, \"gaussian\", \"orthogonal\", \"pissa\","
                                + " \"olora\", \"eva\" or \"mica\", found " + init);
    }

    /** PEFT leaves a start's settings in the file when it converts an adapter, and ignores them. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"init_lora_weights\": true, \"corda_config\": {\"corda_method\": \"ipm\"}",
                "\"init_lora_weights\": true, \"lora_ga_config\": {\"direction\": \"ArB2r\"}",
                "\"init_lora_weights\": \"eva\", \"eva_config\": {\"rho\": 2.0}",
                "\"init_lora_weights\": \"mica\""
            })
    void adaptersThatHaveStartedAreLikeOthers(String entries) {
        LoraConfig config = read("{" + entries + "}");

        assertThat(config.init()).isEqualTo(LoraInit.ZERO_DELTA);
        JsonObject written = method.write(config);
        assertThat(written.get("init_lora_weights").getAsBoolean()).isTrue();
        assertThat(written.get("corda_config").isJsonNull()).isTrue();
        assertThat(written.get("eva_config").isJsonNull()).isTrue();
        assertThat(written.get("lora_ga_config").isJsonNull()).isTrue();
    }

    @Test
    void initialisationsThatStandInTheFileAreRead() {
        assertThat(read("{\"init_lora_weights\": \"gaussian\"}").init()).isEqualTo(LoraInit.GAUSSIAN);
        assertThat(read("{\"init_lora_weights\": \"Gaussian\"}").init()).isEqualTo(LoraInit.GAUSSIAN);
        assertThat(read("{\"init_lora_weights\": \"orthogonal\"}").init()).isEqualTo(LoraInit.ORTHOGONAL);
        assertThat(read("{\"init_lora_weights\": \"pissa\"}").init()).isEqualTo(LoraInit.PISSA);
        assertThat(read("{\"init_lora_weights\": \"olora\"}").init()).isEqualTo(LoraInit.OLORA);
        assertThat(read("{\"init_lora_weights\": false}").init()).isEqualTo(LoraInit.RANDOM);
        assertThat(read("{\"init_lora_weights\": true}").init()).isEqualTo(LoraInit.ZERO_DELTA);
    }

    @Test
    void badValuesAreNamed() {
        assertThatThrownBy(() -> read("{\"r\": 1.5}"))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("adapter_config.json: expected an integer")
                .hasMessageContaining("under \"r\", found 1.5");
        assertThatThrownBy(() -> read("{\"bias\": \"some\"}"))
                .hasMessageContaining("expected none, all or lora_only under \"bias\", found \"some\"");
        assertThatThrownBy(() -> read("{\"task_type\": \"CHAT\"}"))
                .hasMessageContaining("expected one of [CAUSAL_LM, SEQ_CLS")
                .hasMessageContaining("under \"task_type\", found \"CHAT\"");
        assertThatThrownBy(() -> read("{\"target_modules\": 3}"))
                .hasMessageContaining("expected a list of names or a string under \"target_modules\", found 3");
        assertThatThrownBy(() -> read("{\"target_modules\": []}"))
                .hasMessageContaining("target_modules is an empty list");
    }

    @Test
    void defaultTargetsAreWrittenByName() {
        LoraConfig config = LoraConfig.builder().build();

        assertThat(method.complete(TinyModels.llama(1), config).targets()).isEqualTo(Targets.names("q_proj", "v_proj"));
        assertThat(method.complete(TinyModels.bert(), config).targets()).isEqualTo(Targets.names("query", "value"));
    }

    @Test
    void allLinearIsWrittenByName() {
        LoraConfig config =
                LoraConfig.builder().targets(Targets.string("all-linear")).build();

        assertThat(method.complete(TinyModels.llama(1), config).targets())
                .isEqualTo(Targets.names("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"));
        assertThat(method.complete(TinyModels.bert(), config).targets())
                .isEqualTo(Targets.names("query", "key", "value", "dense"));
    }

    @Test
    void patternsChangeRanksByTheFirstMatch() {
        Map<String, Integer> ranks = new LinkedHashMap<>();
        ranks.put("layers\\.1\\.self_attn\\.q_proj", 5);
        ranks.put("v_proj", 3);
        LoraConfig config = LoraConfig.builder().rank(2).rankPattern(ranks).build();
        BackboneSpec spec = TinyModels.llama(2);

        assertThat(shape(spec, config, "0.self_attn.q_proj.lora_A.weight")).isEqualTo(Shape.of(2, 8));
        assertThat(shape(spec, config, "1.self_attn.q_proj.lora_A.weight")).isEqualTo(Shape.of(5, 8));
        assertThat(shape(spec, config, "1.self_attn.v_proj.lora_B.weight")).isEqualTo(Shape.of(4, 3));
    }

    @Test
    void patternsMatchWholePartsOfNames() {
        LoraConfig config = LoraConfig.builder()
                .rank(2)
                .rankPattern(Map.of("proj", 5, "_proj", 6))
                .build();

        assertThat(shape(TinyModels.llama(1), config, "q_proj.lora_A.weight")).isEqualTo(Shape.of(2, 8));
    }

    @Test
    void patternsWhoseOrderTheFileWouldChangeAreRefused() {
        Map<String, Integer> ranks = new LinkedHashMap<>();
        ranks.put("self_attn.q_proj", 5);
        ranks.put("q_proj", 3);
        LoraConfig config = LoraConfig.builder().rank(2).rankPattern(ranks).build();

        assertThatThrownBy(() -> method.plan(TinyModels.llama(1), config))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining(
                        "rank_pattern gives model.layers.0.self_attn.q_proj the value 5, but 3 once its keys"
                                + " are sorted, as they are in files");
    }

    @Test
    void layersAreChosenByNumber() {
        LoraConfig config = LoraConfig.builder()
                .targets("q_proj")
                .layersToTransform(List.of(1))
                .layersPattern(List.of("layers"))
                .build();

        assertThat(stored(TinyModels.llama(3), config))
                .containsExactly(
                        "model.layers.1.self_attn.q_proj.lora_A.weight",
                        "model.layers.1.self_attn.q_proj.lora_B.weight");
        assertThatThrownBy(() -> stored(TinyModels.llama(1), config))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("layers_to_transform names layer 1, but the model has layers 0 to 0");
    }

    /** PEFT looks at layers only where the end of a name matched. */
    @Test
    void whatIsNamedInFullIsMeantInAnyLayer() {
        LoraConfig config = LoraConfig.builder()
                .targets("lm_head", "model.layers.1.self_attn.q_proj", "v_proj")
                .layersToTransform(List.of(0))
                .build();

        assertThat(stored(TinyModels.llama(2), config))
                .containsExactly(
                        "model.layers.0.self_attn.v_proj.lora_A.weight",
                        "model.layers.0.self_attn.v_proj.lora_B.weight",
                        "model.layers.1.self_attn.q_proj.lora_A.weight",
                        "model.layers.1.self_attn.q_proj.lora_B.weight",
                        "lm_head.lora_A.weight",
                        "lm_head.lora_B.weight");
    }

    @ParameterizedTest
    @ValueSource(strings = {"layers", "model.layers", "h|layers", "(?:layers|blocks)"})
    void theListOfLayersIsAnExpressionAsInPeft(String pattern) {
        LoraConfig config = LoraConfig.builder()
                .targets("v_proj")
                .layersToTransform(List.of(1))
                .layersPattern(List.of("blocks", pattern))
                .build();

        if (pattern.equals("h|layers")) {
            // Without brackets the bar splits PEFT's whole expression.
            assertThatThrownBy(() -> stored(TinyModels.llama(2), config))
                    .isInstanceOf(InvalidConfigException.class)
                    .hasMessageContaining("in layers [1] match no module of the model");
        } else {
            assertThat(stored(TinyModels.llama(2), config))
                    .allMatch(name -> name.startsWith("model.layers.1.self_attn.v_proj"));
        }
    }

    @Test
    void exclusionsThatMatchNothingChangeNothing() {
        LoraConfig config = LoraConfig.builder()
                .targets("v_proj")
                .exclude(Targets.names("vision_tower", "mlp"))
                .rankPattern(Map.of("q_porj", 3))
                .build();

        assertThat(stored(TinyModels.llama(1), config))
                .containsExactly(
                        "model.layers.0.self_attn.v_proj.lora_A.weight",
                        "model.layers.0.self_attn.v_proj.lora_B.weight");
    }

    @Test
    void theOutputEmbeddingIsALinearLayerLikeOthers() {
        LoraConfig config = LoraConfig.builder().rank(2).targets("lm_head").build();

        assertThat(stored(TinyModels.llama(1), config))
                .containsExactly("lm_head.lora_A.weight", "lm_head.lora_B.weight");
        assertThat(shape(TinyModels.llama(1), config, "lora_B.weight")).isEqualTo(Shape.of(16, 2));
    }

    @Test
    void theClassificationHeadIsTrainedWholeOrNotAtAll() {
        LoraConfig config =
                LoraConfig.builder().rank(2).targets("query", "classifier").build();
        LoraConfig ofTask = config.toBuilder().taskType(TaskType.SEQ_CLS).build();

        assertThatThrownBy(() -> stored(TinyModels.bert(), config))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("target_modules match the classification head \"classifier\"");
        assertThat(stored(TinyModels.bert(), ofTask))
                .containsExactly(
                        "bert.encoder.layer.0.attention.self.query.lora_A.weight",
                        "bert.encoder.layer.0.attention.self.query.lora_B.weight",
                        "classifier.weight",
                        "classifier.bias");
    }

    @Test
    void modulesToSaveAreNoTargets() {
        LoraConfig config = LoraConfig.builder()
                .targets("q_proj", "lm_head")
                .modulesToSave(List.of("lm_head"))
                .build();

        assertThat(stored(TinyModels.llama(1), config))
                .contains("lm_head.weight")
                .doesNotContain("lm_head.lora_A.weight");
        LoraConfig nothingLeft = config.toBuilder().targets("lm_head").build();
        assertThatThrownBy(() -> stored(TinyModels.llama(1), nothingLeft))
                .hasMessageContaining("target_modules match only modules that are trained whole, [lm_head]");
    }

    @Test
    void modulesToSaveHoldWhatLiesInThem() {
        LoraConfig config =
                LoraConfig.builder().modulesToSave(List.of("pooler")).build();

        assertThat(stored(TinyModels.bert(), config)).contains("bert.pooler.dense.weight", "bert.pooler.dense.bias");
    }

    @Test
    void biasesOfTargetsAreStoredUnderTheirWrapper() {
        LoraConfig config =
                LoraConfig.builder().targets("query").bias(LoraBias.LORA_ONLY).build();

        assertThat(stored(TinyModels.bert(), config))
                .contains("bert.encoder.layer.0.attention.self.query.base_layer.bias")
                .hasSize(3);
    }

    @Test
    void allBiasesAreStoredOnce() {
        LoraConfig config = LoraConfig.builder()
                .targets("query")
                .bias(LoraBias.ALL)
                .taskType(TaskType.SEQ_CLS)
                .build();

        assertThat(stored(TinyModels.bert(), config))
                .doesNotHaveDuplicates()
                .contains(
                        "bert.encoder.layer.0.attention.self.query.base_layer.bias",
                        "bert.encoder.layer.0.attention.self.key.bias",
                        "bert.embeddings.LayerNorm.bias",
                        "bert.pooler.dense.bias",
                        "classifier.bias");
    }
}
