package io.peftj.methods.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.InvalidFileException;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.Contribution.Substitute;
import io.peftj.core.adapter.Contribution.VirtualTokens;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.PromptDimensions;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.io.Json;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.methods.TestContext;
import io.peftj.methods.TinyModels;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PromptMethodTest {
    private static final String STORED = "prompt_embeddings";

    private final PromptMethod method = new PromptMethod();

    private PromptConfig read(String json) {
        return method.read(Json.parse(json, "test"));
    }

    private AdapterPlan plan(PromptConfig.Builder config) {
        return method.plan(TinyModels.llama(1), config.build());
    }

    /** A model of 16 tokens whose embedding of token t is 8·t, 8·t + 1, … */
    private static TestContext counting() {
        float[] values = new float[16 * 8];
        IntStream.range(0, values.length).forEach(i -> values[i] = i);
        return new TestContext(Map.of("model.embed_tokens.weight", HostTensor.of(Shape.of(16, 8), values)));
    }

    @Test
    void thePromptStandsBeforeTheRows() {
        AdapterPlan plan = plan(PromptConfig.builder().virtualTokens(3));

        assertThat(plan.stored()).containsExactly(new ParameterSpec(STORED, Shape.of(3, 8)));
        assertThat(plan.raw()).isEqualTo(plan.stored());
        assertThat(plan.contributions()).containsExactly(new VirtualTokens(3, STORED));
        assertThat(plan.positionShift()).isEqualTo(3);
        assertThat(plan.virtualTokens()).isEqualTo(3);
        assertThat(plan.firstPredicted()).isZero();
    }

    @Test
    void aClassifiersHeadHasPeftsShorterName() {
        PromptConfig config = PromptConfig.builder()
                .virtualTokens(3)
                .taskType(TaskType.SEQ_CLS)
                .build();

        AdapterPlan plan = method.plan(TinyModels.bert(), config);

        assertThat(plan.stored())
                .containsExactly(
                        new ParameterSpec(STORED, Shape.of(3, 8)),
                        new ParameterSpec("base_model.classifier.weight", Shape.of(2, 8)),
                        new ParameterSpec("base_model.classifier.bias", Shape.of(2)));
        assertThat(plan.contributions()).contains(new Substitute("classifier.weight", "base_model.classifier.weight"));
    }

    @Test
    void aRandomStartIsNormallyDistributed() {
        float[] values = plan(PromptConfig.builder().virtualTokens(30))
                .initialise(TestContext.EMPTY)
                .get(STORED)
                .values();

        double mean = IntStream.range(0, values.length)
                .mapToDouble(i -> values[i])
                .average()
                .orElseThrow();
        double square = IntStream.range(0, values.length)
                .mapToDouble(i -> values[i] * values[i])
                .average()
                .orElseThrow();
        assertThat(mean).isCloseTo(0, within(0.2));
        assertThat(square).isCloseTo(1, within(0.3));
    }

    @Test
    void aStartFromTheVocabularyIsRowsOfTheEmbedding() {
        HostTensor start = plan(PromptConfig.builder().virtualTokens(30).init(PromptInit.sampledVocabulary()))
                .initialise(counting())
                .get(STORED);

        assertThat(start.shape()).isEqualTo(Shape.of(30, 8));
        List<Integer> ids = IntStream.range(0, 30)
                .mapToObj(t -> Math.round(start.values()[8 * t]) / 8)
                .toList();
        for (int i = 0; i < 240; i++) {
            assertThat(start.values()[i]).isEqualTo(8 * ids.get(i / 8) + i % 8);
        }
        assertThat(ids.stream().distinct().count()).isBetween(5L, 16L);
    }

    /** One token a character, its number the character's. */
    @Test
    void aTextIsRepeatedOrCut() {
        String text = "\u0003\u0009";
        for (int tokens : new int[] {1, 5}) {
            float[] values = plan(PromptConfig.builder().virtualTokens(tokens).init(PromptInit.fromText(text)))
                    .initialise(counting())
                    .get(STORED)
                    .values();

            for (int i = 0; i < 8 * tokens; i++) {
                assertThat(values[i]).isEqualTo(8 * text.charAt(i / 8 % 2) + i % 8);
            }
        }
    }

    @Test
    void textsWithoutWordsAreRefused() {
        assertThatThrownBy(() -> PromptInit.fromText(" "))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageStartingWith("prompt_tuning_init_text: expected a few words about the task, found none");
        assertThatThrownBy(() -> new PromptInit.Text("sort", ""))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageStartingWith("tokenizer_name_or_path: expected a name");
    }

    static List<PromptInit> starts() {
        return List.of(
                PromptInit.normal(),
                PromptInit.sampledVocabulary(),
                PromptInit.fromText("sort"),
                new PromptInit.Text("sort", "HuggingFaceTB/SmolLM2-135M"));
    }

    @ParameterizedTest
    @MethodSource("starts")
    void everythingWrittenIsReadBack(PromptInit init) {
        PromptConfig config = method.complete(
                TinyModels.bert(),
                PromptConfig.builder()
                        .virtualTokens(3)
                        .init(init)
                        .modulesToSave(List.of("classifier"))
                        .taskType(TaskType.SEQ_CLS)
                        .build());

        JsonObject json = method.write(config);

        assertThat(method.read(json)).isEqualTo(config);
        assertThat(config.toBuilder().build()).isEqualTo(config);
        assertThat(config.dimensions()).isEqualTo(new PromptDimensions(1, 4, 8));
    }

    /** PEFT refuses a text without a tokenizer's name, so the name is not left out. */
    @Test
    void aPathOfThisMachineIsNotWritten() {
        PromptConfig config = PromptConfig.builder()
                .init(new PromptInit.Text("sort", "/home/somebody/models/llama"))
                .build();

        assertThat(method.write(config).get("tokenizer_name_or_path").getAsString())
                .isEqualTo("tokenizer.json");
    }

    @Test
    void badFilesAreRefused() {
        assertThatThrownBy(() -> read("{}"))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("expected an integer under \"num_virtual_tokens\", found no such key");
        assertThatThrownBy(() -> read("{\"num_virtual_tokens\": 0}"))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage("num_virtual_tokens: expected at least 1, found 0; 8 to 100 are usual");
        assertThatThrownBy(() -> read("{\"num_virtual_tokens\": 3, \"num_transformer_submodules\": 2}"))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("num_transformer_submodules: expected 1, found 2");
        assertThatThrownBy(() -> read("{\"num_virtual_tokens\": 3, \"prompt_tuning_init\": \"ONES\"}"))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("expected \"RANDOM\", \"SAMPLE_VOCAB\" or \"TEXT\" under"
                        + " \"prompt_tuning_init\", found \"ONES\"");
        assertThatThrownBy(() -> read("{\"num_virtual_tokens\": 3, \"prompt_tuning_init\": \"TEXT\"}"))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("expected a string under \"prompt_tuning_init_text\"");
    }

    @Test
    void promptsOfOtherModelsAreRefused() {
        PromptConfig ofOneLayer =
                method.complete(TinyModels.llama(1), PromptConfig.builder().build());

        assertThatThrownBy(() -> method.plan(TinyModels.llama(2), ofOneLayer))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage("the prompt is for a model with num_layers 1, num_attention_heads 4, token_dim 8, but"
                        + " LlamaForCausalLM has num_layers 2, num_attention_heads 4, token_dim 8;"
                        + " use the model it was trained on");
        assertThatThrownBy(() -> plan(PromptConfig.builder().virtualTokens(32)))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage("num_virtual_tokens: expected fewer than the model's 32 positions, found 32;"
                        + " use a shorter prompt, so that rows have room");
    }
}
