package io.peftj.methods.prefix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.InvalidFileException;
import io.peftj.core.adapter.PromptDimensions;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.io.Json;
import io.peftj.methods.TinyModels;
import java.util.List;
import org.junit.jupiter.api.Test;

class PrefixConfigTest {
    private final PrefixMethod method = new PrefixMethod();

    private PrefixConfig read(String json) {
        return method.read(Json.parse(json, "test"));
    }

    @Test
    void prefixesWithoutTokensAreRefused() {
        assertThatThrownBy(() -> PrefixConfig.builder().virtualTokens(0).build())
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage("num_virtual_tokens: expected at least 1, found 0; 10 to 200 are usual");
    }

    @Test
    void networksWithoutWidthAreRefused() {
        assertThatThrownBy(() -> PrefixConfig.builder().encoderHiddenSize(0).build())
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage(
                        "encoder_hidden_size: expected at least 1, found 0; leave it out for the width of the keys");
    }

    @Test
    void aNetworkCannotStartFromAText() {
        assertThatThrownBy(() -> PrefixConfig.builder()
                        .projection(true)
                        .init(PrefixInit.fromText("Translate:"))
                        .build())
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining(
                        "prefix_projection: expected false for a prefix that starts from a text, found true");
        assertThatThrownBy(() -> PrefixInit.fromText(" "))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageStartingWith("the prefix's text is empty");
    }

    @Test
    void everythingWrittenIsReadBack() {
        PrefixConfig config = PrefixConfig.builder()
                .virtualTokens(3)
                .projection(true)
                .encoderHiddenSize(5)
                .init(PrefixInit.zero())
                .dimensions(new PromptDimensions(1, 2, 4))
                .modulesToSave(List.of("classifier"))
                .taskType(TaskType.SEQ_CLS)
                .build();

        JsonObject json = method.write(config);

        assertThat(method.read(json)).isEqualTo(config);
        assertThat(method.keys()).containsAll(json.keySet());
        assertThat(config.toBuilder().build()).isEqualTo(config);
    }

    @Test
    void theLengthMustBeGiven() {
        assertThatThrownBy(() -> read("{}"))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("expected an integer under \"num_virtual_tokens\", found no such key");
    }

    @Test
    void encoderDecodersAreRefused() {
        assertThatThrownBy(() -> read("{\"num_virtual_tokens\": 3, \"num_transformer_submodules\": 2}"))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage(
                        "num_transformer_submodules: expected 1, found 2; prompts and prefixes of encoder-decoder models are not"
                                + " implemented");
    }

    @Test
    void unknownStartsAreRefused() {
        assertThatThrownBy(() -> read("{\"num_virtual_tokens\": 3, \"init_weights\": \"ones\"}"))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("expected \"zero\" or null under \"init_weights\", found \"ones\"");
    }

    @Test
    void theModelsSizesAreFilledInAndChecked() {
        PrefixConfig config = PrefixConfig.builder().build();

        PrefixConfig complete = method.complete(TinyModels.llama(1), config);

        assertThat(complete.dimensions()).isEqualTo(new PromptDimensions(1, 2, 4));
        assertThat(complete.encoderHiddenSize()).isEqualTo(4);
        assertThatThrownBy(() -> method.plan(TinyModels.llama(2), complete))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage("the prefix is for a model with num_layers 1, num_attention_heads 2, token_dim 4, but"
                        + " LlamaForCausalLM has num_layers 2, num_attention_heads 2, token_dim 4;"
                        + " use the model it was trained on");
    }

    @Test
    void prefixesLongerThanTheModelAreRefused() {
        PrefixConfig config = PrefixConfig.builder().virtualTokens(32).build();

        assertThatThrownBy(() -> method.plan(TinyModels.llama(1), config))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage("num_virtual_tokens: expected fewer than the model's 32 positions, found 32;"
                        + " use a shorter prefix, so that rows have room");
    }
}
