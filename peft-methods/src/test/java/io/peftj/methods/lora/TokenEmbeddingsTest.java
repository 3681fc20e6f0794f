package io.peftj.methods.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.Contribution.RowDelta;
import io.peftj.core.adapter.Contribution.SubstituteRows;
import io.peftj.core.io.Json;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.methods.TestContext;
import io.peftj.methods.TinyModels;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** LoRA on token embeddings, and rows of these trained beside it. */
class TokenEmbeddingsTest {
    private static final String EMBEDDING = "model.embed_tokens.weight";
    private static final String OUTPUT = "lm_head.weight";
    private static final String ROWS = "base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta";
    private static final String OUTPUT_ROWS = "base_model.model.lm_head.token_adapter.trainable_tokens_delta";

    private static final BackboneSpec TIED = TinyModels.tiedLlama(1);
    private static final BackboneSpec UNTIED = TinyModels.llama(1);

    private static AdapterPlan plan(BackboneSpec spec, LoraConfig.Builder config) {
        return new LoraMethod().plan(spec, config.build());
    }

    private static LoraConfig.Builder config(String tokens) {
        JsonObject json =
                Json.parse("{\"r\": 2, \"lora_alpha\": 2, \"trainable_token_indices\": " + tokens + "}", "test");
        return new LoraMethod().read(json).toBuilder();
    }

    private static List<Contribution> rows(AdapterPlan plan) {
        return plan.contributions().stream()
                .filter(SubstituteRows.class::isInstance)
                .toList();
    }

    // ---- low-rank matrices ----

    @Test
    void theMatricesOfEmbeddingsStartAsZeroAndNormal() {
        AdapterPlan plan = plan(UNTIED, LoraConfig.builder().rank(2).targets("embed_tokens"));
        String a = "base_model.model.model.embed_tokens.lora_embedding_A";
        String b = "base_model.model.model.embed_tokens.lora_embedding_B";

        Map<String, HostTensor> values = plan.initialise(TestContext.EMPTY);

        assertThat(values.keySet()).containsExactly(a, b);
        assertThat(values.get(a).shape()).isEqualTo(Shape.of(2, 16));
        assertThat(values.get(b).shape()).isEqualTo(Shape.of(8, 2));
        assertThat(values.get(a).values()).containsOnly(0);
        assertThat(values.get(b).values()).hasSize(16).doesNotHaveDuplicates();
        assertThat(plan.contributions()).containsExactly(new RowDelta(UNTIED.site("model.embed_tokens"), a, b));
    }

    // ---- rows ----

    @Test
    void rowsStartAsTheBasesOwn() {
        float[] matrix = new float[16 * 8];
        for (int i = 0; i < matrix.length; i++) {
            matrix[i] = i;
        }
        TestContext context = new TestContext(Map.of(EMBEDDING, HostTensor.of(Shape.of(16, 8), matrix)));

        HostTensor rows = plan(UNTIED, config("[7, 2]")).initialise(context).get(ROWS);

        assertThat(rows.shape()).isEqualTo(Shape.of(2, 8));
        assertThat(Arrays.copyOfRange(rows.values(), 0, 8)).isEqualTo(Arrays.copyOfRange(matrix, 56, 64));
        assertThat(Arrays.copyOfRange(rows.values(), 8, 16)).isEqualTo(Arrays.copyOfRange(matrix, 16, 24));
    }

    @Test
    void rowsOfATiedEmbeddingActOnBothEnds() {
        List<Contribution> both = List.of(
                new SubstituteRows(EMBEDDING, List.of(7, 2), ROWS), new SubstituteRows(OUTPUT, List.of(7, 2), ROWS));

        assertThat(rows(plan(TIED, config("[7, 2]")))).isEqualTo(both);
        assertThat(rows(plan(TIED, config("{\"embed_tokens\": [7, 2]}")))).isEqualTo(both);
        assertThat(rows(plan(TIED, config("{\"lm_head\": [7, 2], \"embed_tokens\": [7, 2]}"))))
                .isEqualTo(both);
        assertThat(rows(plan(UNTIED, config("[7, 2]")))).isEqualTo(both.subList(0, 1));
    }

    @Test
    void endsOfOtherTokensHaveRowsOfTheirOwn() {
        List<Contribution> each = List.of(
                new SubstituteRows(EMBEDDING, List.of(7), ROWS), new SubstituteRows(OUTPUT, List.of(2), OUTPUT_ROWS));

        for (BackboneSpec spec : List.of(TIED, UNTIED)) {
            assertThat(rows(plan(spec, config("{\"embed_tokens\": [7], \"lm_head\": [2]}"))))
                    .isEqualTo(each);
            assertThat(rows(plan(spec, config("{\"lm_head\": [2]}")))).isEqualTo(each.subList(1, 2));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            value = {"[7, 2]", "{\"embed_tokens\":[7,2]}", "null"})
    void theFilesValueIsWrittenAsItWasRead(String tokens) {
        JsonObject written = new LoraMethod().write(config(tokens).build());

        assertThat(written.get(TrainableTokens.KEY)).hasToString(tokens.replace(" ", ""));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            value = {
                "[3, 16] | trainable_token_indices names the token 16 of model.embed_tokens, which has tokens 0 to 15",
                "{\"wte\": [1]} | trainable_token_indices names \"wte\", which is no embedding of the model; there are [model.embed_tokens, lm_head]",
            })
    void whatTheModelDoesNotHaveIsRefused(String tokens, String message) {
        assertThatThrownBy(() -> plan(UNTIED, config(tokens)))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            value = {
                "[3, -1] | trainable_token_indices: expected token ids of at least 0, each once, found -1;",
                "[3, 5, 3] | trainable_token_indices: expected token ids of at least 0, each once, found 3 twice;",
                "{\"lm_head\": []} | trainable_token_indices, \"lm_head\": expected at least one token id, found none",
            })
    void tokensThatAreNoneAreRefused(String tokens, String message) {
        assertThatThrownBy(() -> config(tokens))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aMatrixIsTrainedInOneWay() {
        assertThatThrownBy(() -> plan(TIED, config("[1]").targets("lm_head")))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage(
                        "trainable_token_indices trains rows of \"lm_head\", which target_modules name too; train it"
                                + " in one of these ways");
        assertThatThrownBy(() -> plan(UNTIED, config("[1]").modulesToSave(List.of("embed_tokens"))))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("rows of \"model.embed_tokens\", which modules_to_save trains whole");
    }
}
