package io.peftj.methods;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.peftj.core.IncompatibleAdapterException;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.InvalidFileException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.adapter.LoadOptions;
import io.peftj.core.adapter.Pooling;
import io.peftj.core.adapter.TaskData;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.io.AtomicFiles;
import io.peftj.core.io.Fingerprint;
import io.peftj.core.io.Json;
import io.peftj.core.io.Safetensors;
import io.peftj.core.io.SafetensorsWriter;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.methods.prefix.PrefixConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AdapterFilesTest {
    private static final String Q = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight";
    private static final LoraConfig LORA =
            LoraConfig.builder().rank(2).taskType(TaskType.CAUSAL_LM).build();

    @TempDir
    private Path folder;

    private static Adapter adapter(BackboneSpec spec, LoraConfig config) {
        LoraConfig complete = AdapterMethods.complete(spec, config);
        return new Adapter(
                "LORA",
                complete,
                AdapterMethods.plan(spec, complete).initialise(TestContext.EMPTY),
                TaskData.NONE,
                null,
                new JsonObject());
    }

    private static Adapter with(Adapter adapter, Map<String, HostTensor> parameters) {
        return adapter.with(adapter.config(), parameters);
    }

    @Test
    void savingTwiceGivesEqualBytes() {
        Adapter adapter = adapter(TinyModels.llama(1), LORA);
        AdapterFiles.save(adapter, folder.resolve("one"));
        AdapterFiles.save(AdapterFiles.load(folder.resolve("one")), folder.resolve("two"));

        for (String file : List.of("adapter_config.json", "adapter_model.safetensors")) {
            assertThat(folder.resolve("two").resolve(file))
                    .hasSameBinaryContentAs(folder.resolve("one").resolve(file));
        }
    }

    @Test
    void taskDataFingerprintAndSeedTravelWithTheParameters() {
        Adapter plain = adapter(TinyModels.llama(1), LORA);
        TaskData task = new TaskData(List.of("no", "yes ✓"), "Q: {text}", 128, Pooling.MEAN, "abc");
        Adapter adapter = new Adapter(
                "LORA", plain.config(), plain.parameters(), task, "{\"of\":\"base\"}", -7L, new JsonObject());

        AdapterFiles.save(adapter, folder);

        Adapter loaded = AdapterFiles.load(folder);
        assertThat(loaded.task()).isEqualTo(task);
        assertThat(loaded.fingerprint()).isEqualTo("{\"of\":\"base\"}");
        assertThat(loaded.seed()).isEqualTo(-7);
        assertThat(Json.read(folder.resolve("adapter_config.json")).keySet()).doesNotContain("labels", "fingerprint");
    }

    @Test
    void aSeedThatIsNoNumberIsRefused() {
        Adapter adapter = adapter(TinyModels.llama(1), LORA);
        AdapterFiles.save(adapter, folder);
        SafetensorsWriter.write(
                folder.resolve("adapter_model.safetensors"), adapter.parameters(), Map.of("peftj_seed", "seven"));

        assertThatThrownBy(() -> AdapterFiles.load(folder))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("metadata peftj_seed: expected a whole number of 64 bits, found seven");
    }

    @Test
    void unknownKeysOfTheConfigurationAreKept() {
        AdapterFiles.save(adapter(TinyModels.llama(1), LORA), folder);
        change("x_notes", new JsonPrimitive("mine"));
        change("peft_version", new JsonPrimitive("0.19.1"));

        AdapterFiles.save(AdapterFiles.load(folder), folder.resolve("again"));

        JsonObject json = Json.read(folder.resolve("again").resolve("adapter_config.json"));
        assertThat(json.get("x_notes").getAsString()).isEqualTo("mine");
        assertThat(json.get("peft_version").getAsString()).isEqualTo("0.19.1");
        assertThat(json.get("inference_mode").getAsBoolean()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/home/me/model", "~/model", "C:\\models\\x", "\\\\server\\x", "file:///x"})
    void pathsOfAMachineAreNotPassedOn(String path) {
        assertThat(savedBase(path)).isEqualTo(JsonNull.INSTANCE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"meta-llama/Llama-3.2-1B", "roberta-base", "../base"})
    void namesOfModelsArePassedOn(String name) {
        assertThat(savedBase(name)).isEqualTo(new JsonPrimitive(name));
    }

    private JsonElement savedBase(String path) {
        AdapterFiles.save(adapter(TinyModels.llama(1), LORA), folder);
        change("base_model_name_or_path", new JsonPrimitive(path));
        AdapterFiles.save(AdapterFiles.load(folder), folder.resolve("again"));
        return Json.read(folder.resolve("again").resolve("adapter_config.json")).get("base_model_name_or_path");
    }

    @Test
    void anAdapterForMoreLayersIsRefused() {
        AdapterFiles.save(adapter(TinyModels.llama(2), LORA), folder);

        assertThatThrownBy(() -> AdapterFiles.load(folder, TinyModels.llama(1), LoadOptions.STRICT))
                .isInstanceOf(IncompatibleAdapterException.class)
                .hasMessage(
                        "the adapter (LORA) does not fit the base model (LlamaForCausalLM, 1 layer): 4 parameters surplus:"
                                + " base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight,"
                                + " base_model.model.model.layers.1.self_attn.q_proj.lora_B.weight,"
                                + " base_model.model.model.layers.1.self_attn.v_proj.lora_A.weight and 1 more;"
                                + " the adapter is for 2 layers, the base model has 1; load it with the base model it was trained on");
    }

    @Test
    void anAdapterForFewerLayersIsRefused() {
        Adapter adapter = adapter(TinyModels.llama(1), LORA);

        assertThatThrownBy(() -> AdapterFiles.check(adapter, TinyModels.llama(2)))
                .isInstanceOf(IncompatibleAdapterException.class)
                .hasMessageContaining(
                        "4 parameters missing: base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight")
                .hasMessageContaining("the adapter is for 1 layer, the base model has 2");
    }

    @Test
    void anAdapterOfAnotherArchitectureIsRefused() {
        Adapter adapter = adapter(TinyModels.llama(1), LORA);

        assertThatThrownBy(() -> AdapterFiles.check(adapter, TinyModels.bert()))
                .isInstanceOf(IncompatibleAdapterException.class)
                .hasMessageContaining("does not fit the base model (BertForSequenceClassification, 1 layer)")
                .hasMessageContaining("target_modules names \"q_proj\", which matches no module of the model");
    }

    @Test
    void anAdapterOfOtherWeightsIsRefused() {
        BackboneSpec spec = TinyModels.llama(1);
        Adapter plain = adapter(spec, LORA);
        Adapter adapter = new Adapter(
                "LORA",
                plain.config(),
                plain.parameters(),
                TaskData.NONE,
                fingerprint(1).encode(),
                new JsonObject());
        AdapterFiles.save(adapter, folder);

        AdapterFiles.load(folder, spec, fingerprint(1), LoadOptions.STRICT);
        assertThat(AdapterFiles.load(folder, spec, fingerprint(2), LoadOptions.LENIENT)
                        .fingerprint())
                .isNull();
        AdapterFiles.check(plain, spec, fingerprint(2));
        assertThatThrownBy(() -> AdapterFiles.load(folder, spec, fingerprint(2), LoadOptions.STRICT))
                .isInstanceOf(IncompatibleAdapterException.class)
                .hasMessageStartingWith(
                        "the adapter (LORA) does not belong to the base model: recorded for the base llama"
                                + " (hidden_size 8), used with the base llama (hidden_size 8): value 0 of 64 taken from w is 1.0"
                                + " there and 2.0 here")
                .hasMessageEndingWith(
                        "; load it with the base model it was trained on, or with LoadOptions.LENIENT if this"
                                + " one is to do");
        assertThatThrownBy(() -> AdapterFiles.check(adapter, spec, fingerprint(2)))
                .isInstanceOf(IncompatibleAdapterException.class);
    }

    private static Fingerprint fingerprint(float value) {
        Fingerprint.Tensor tensor = new Fingerprint.Tensor(Shape.of(8, 8), places -> {
            float[] values = new float[places.length];
            Arrays.fill(values, value);
            return values;
        });
        return Fingerprint.compute("llama", Map.of("hidden_size", 8), Map.of("w", tensor));
    }

    @Test
    void missingSurplusAndMisshapenParametersAreListed() {
        BackboneSpec spec = TinyModels.llama(1);
        Adapter adapter = adapter(spec, LORA);
        Map<String, HostTensor> parameters = new LinkedHashMap<>(adapter.parameters());
        parameters.put("base_model.model.other", HostTensor.filled(Shape.of(1), 0));
        parameters.remove(Q.replace("lora_A", "lora_B"));
        parameters.put(Q, HostTensor.filled(Shape.of(3, 8), 0));

        assertThatThrownBy(() -> AdapterFiles.check(with(adapter, parameters), spec))
                .isInstanceOf(IncompatibleAdapterException.class)
                .hasMessageContaining("1 parameter missing: " + Q.replace("lora_A", "lora_B"))
                .hasMessageContaining("1 parameter surplus: base_model.model.other")
                .hasMessageContaining("1 parameter of another shape: " + Q + " is [3, 8] instead of [2, 8]");
    }

    @Test
    void leniencyLeavesSurplusOut() {
        AdapterFiles.save(adapter(TinyModels.llama(2), LORA), folder);

        Adapter loaded = AdapterFiles.load(folder, TinyModels.llama(1), LoadOptions.LENIENT);

        assertThat(loaded.parameters()).hasSize(4);
        AdapterFiles.check(loaded, TinyModels.llama(1));
    }

    @Test
    void leniencyDoesNotMakeUpWhatIsMissing() {
        AdapterFiles.save(adapter(TinyModels.llama(1), LORA), folder);

        assertThatThrownBy(() -> AdapterFiles.load(folder, TinyModels.llama(2), LoadOptions.LENIENT))
                .isInstanceOf(IncompatibleAdapterException.class)
                .hasMessageContaining("4 parameters missing");
    }

    @Test
    void aHeadThatTheModelLacksIsLeftOut() {
        BackboneSpec spec = TinyModels.llama(1);
        Adapter adapter = adapter(spec, LORA);
        Map<String, HostTensor> parameters = new LinkedHashMap<>(adapter.parameters());
        parameters.put("base_model.model.score.weight", HostTensor.filled(Shape.of(3, 8), 0));
        AdapterFiles.save(with(adapter, parameters), folder);

        Adapter loaded = AdapterFiles.load(folder, spec, LoadOptions.STRICT);

        assertThat(loaded.parameters()).doesNotContainKey("base_model.model.score.weight");
    }

    @Test
    void aHeadOfOtherClassesIsRefused() {
        LoraConfig config = LORA.toBuilder().taskType(TaskType.SEQ_CLS).build();
        BackboneSpec two = TinyModels.bert();
        BackboneSpec five = two.withHead(new HeadSpec("classifier", 5, 8, true, Pooling.FIRST));
        Adapter adapter = adapter(two, config);

        assertThatThrownBy(() -> AdapterFiles.check(adapter, five))
                .hasMessageContaining("base_model.model.classifier.weight is [2, 8] instead of [5, 8]");
    }

    @Test
    void tasksThatNoModelDoesAreRefused() {
        Adapter adapter = adapter(
                TinyModels.bert(), LORA.toBuilder().taskType(TaskType.TOKEN_CLS).build());
        AdapterFiles.save(adapter, folder);

        assertThatThrownBy(() -> AdapterFiles.load(folder, TinyModels.bert(), LoadOptions.STRICT))
                .isInstanceOf(IncompatibleAdapterException.class)
                .hasMessage("the adapter (LORA) is for the task type TOKEN_CLS, which is not implemented; expected one"
                        + " of [CAUSAL_LM, SEQ_CLS, FEATURE_EXTRACTION]; use an adapter for one of these");
    }

    @Test
    void peftsCopiesOfTheBaseAreCheckedAndDropped() {
        LoraConfig config = LORA.toBuilder().targets("q_proj", "lm_head").build();
        BackboneSpec spec = TinyModels.llama(1);
        Map<String, HostTensor> parameters =
                new LinkedHashMap<>(adapter(spec, config).parameters());
        String copy = "base_model.model.lm_head.base_layer.weight";
        AdapterFiles.save(adapter(spec, config), folder);

        parameters.put(copy, HostTensor.filled(Shape.of(16, 8), 1));
        writeTensors(parameters);
        assertThat(AdapterFiles.load(folder, spec, LoadOptions.STRICT).parameters())
                .doesNotContainKey(copy);

        parameters.put(copy, HostTensor.filled(Shape.of(17, 8), 1));
        writeTensors(parameters);
        assertThatThrownBy(() -> AdapterFiles.load(folder, spec, LoadOptions.STRICT))
                .hasMessageContaining("lm_head.weight is [17, 8] instead of [16, 8]");
    }

    @Test
    void aSecondNameOfAHeadMustAgreeWithTheFirst() {
        LoraConfig config = LORA.toBuilder().taskType(TaskType.SEQ_CLS).build();
        Adapter adapter = adapter(TinyModels.bert(), config);
        Map<String, HostTensor> parameters = new LinkedHashMap<>(adapter.parameters());
        HostTensor bias = parameters.remove("base_model.model.classifier.bias");
        AdapterFiles.save(adapter, folder);

        parameters.put("base_model.model.classifier.modules_to_save.bias", bias);
        writeTensors(parameters);
        assertThat(AdapterFiles.load(folder, TinyModels.bert(), LoadOptions.STRICT)
                        .parameters())
                .containsKey("base_model.model.classifier.bias")
                .hasSameSizeAs(adapter.parameters());

        parameters.put("base_model.model.classifier.bias", HostTensor.filled(bias.shape(), 9));
        writeTensors(parameters);
        assertThatThrownBy(() -> AdapterFiles.load(folder))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining(
                        "expected the values of \"base_model.model.classifier.bias\", which it is another name of");
    }

    @Test
    void picklesAreRefused() throws IOException {
        AdapterFiles.save(adapter(TinyModels.llama(1), LORA), folder);
        Files.move(folder.resolve("adapter_model.safetensors"), folder.resolve("adapter_model.bin"));

        assertThatThrownBy(() -> AdapterFiles.load(folder))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("found a pickle");
    }

    @Test
    void thePrefixOfAnotherDepthIsRefused() {
        PrefixConfig config = AdapterMethods.complete(
                TinyModels.llama(2), PrefixConfig.builder().virtualTokens(3).build());
        Map<String, HostTensor> parameters =
                AdapterMethods.plan(TinyModels.llama(2), config).initialise(TestContext.EMPTY);
        AdapterFiles.save(
                new Adapter("PREFIX_TUNING", config, parameters, TaskData.NONE, null, new JsonObject()), folder);

        assertThatThrownBy(() -> AdapterFiles.load(folder, TinyModels.llama(1), LoadOptions.STRICT))
                .isInstanceOf(IncompatibleAdapterException.class)
                .hasMessageContaining("the prefix is for a model with num_layers 2")
                .hasMessageContaining("but LlamaForCausalLM has num_layers 1");
    }

    @Test
    void theLibrarysVersionIsNoted() {
        AdapterFiles.save(adapter(TinyModels.llama(1), LORA), folder);

        try (Safetensors file = Safetensors.open(folder.resolve("adapter_model.safetensors"))) {
            assertThat(file.metadata())
                    .containsEntry("format", "pt")
                    .hasEntrySatisfying(
                            "peftj_version", version -> assertThat(version).matches("\\d+\\.\\d+\\.\\d+.*"));
        }
    }

    @Test
    void anUnknownMethodIsNamed() {
        AdapterFiles.save(adapter(TinyModels.llama(1), LORA), folder);
        change("peft_type", new JsonPrimitive("LOHA"));

        assertThatThrownBy(() -> AdapterFiles.load(folder))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining(
                        "no adapter method has the type \"LOHA\"; known are [BITFIT, BOTTLENECK, FULL, HEAD, IA3, LORA, LOREFT, PEDRO, PREFIX_TUNING, PROMPT_TUNING, P_TUNING]");
    }

    @Test
    void theMethodMustBeNamed() {
        AdapterFiles.save(adapter(TinyModels.llama(1), LORA), folder);
        change("peft_type", JsonNull.INSTANCE);

        assertThatThrownBy(() -> AdapterFiles.load(folder))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("expected a string under \"peft_type\", found null");
    }

    private void change(String key, JsonElement value) {
        Path file = folder.resolve("adapter_config.json");
        JsonObject json = Json.read(file);
        json.add(key, value);
        AtomicFiles.write(file, AtomicFiles.Content.of(Json.write(json)));
    }

    private void writeTensors(Map<String, HostTensor> tensors) {
        SafetensorsWriter.write(folder.resolve("adapter_model.safetensors"), tensors, Map.of("format", "pt"));
    }
}
