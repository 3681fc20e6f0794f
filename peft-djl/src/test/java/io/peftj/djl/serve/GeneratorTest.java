package io.peftj.djl.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.PeftException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.tensor.DType;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Backbones;
import io.peftj.djl.train.PromptAnswer;
import io.peftj.djl.train.Sentences;
import io.peftj.djl.train.TinyTraining;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.methods.prefix.PrefixConfig;
import io.peftj.methods.prompt.PromptConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class GeneratorTest extends TinyTraining {
    private static final LoraConfig LORA = LoraConfig.builder().rank(8).build();
    private static final List<String> PROMPTS =
            Sentences.colours().stream().map(PromptAnswer::prompt).toList();
    private static final List<String> ANSWERS =
            Sentences.colours().stream().map(PromptAnswer::answer).toList();

    private static Adapter learnt(Backbone base) {
        return colours(base, LORA).epochs(150).learningRate(5e-2).fit(Sentences.colours());
    }

    @Test
    void textsAreTheLearntOnesAndEnd() {
        try (Backbone base = llama();
                Generator generator = Generator.of(base, learnt(base))) {
            List<Completion> whole = generator.generate(PROMPTS);
            assertThat(whole).extracting(Completion::text).isEqualTo(ANSWERS);
            assertThat(whole).allMatch(Completion::ended);
            assertThat(whole.get(1).tokens()).hasSize(2);
            assertThat(generator.generate(PROMPTS.get(2)).text()).isEqualTo(ANSWERS.get(2));

            List<Completion> cut = generator.maxTokens(1).generate(PROMPTS);
            assertThat(cut).extracting(Completion::text).containsExactly("red", "very", "blue", "three");
            assertThat(cut).noneMatch(Completion::ended);
        }
    }

    @Test
    void everyRequestIsContinuedUnderItsOwnAdapter() {
        try (Backbone base = llama();
                Adapters adapters = Adapters.on(base)) {
            adapters.put("lora", learnt(base));
            adapters.put(
                    "prefix",
                    colours(base, PrefixConfig.builder().virtualTokens(3).build())
                            .fit(Sentences.colours()));
            adapters.put(
                    "prompt",
                    colours(base, PromptConfig.builder().virtualTokens(3).build())
                            .fit(Sentences.colours()));
            Generator generator = Generator.of(adapters).maxTokens(5);
            List<Request> requests = PROMPTS.stream()
                    .flatMap(prompt -> Stream.of(
                            Request.of(prompt).with("prefix"),
                            Request.of(prompt),
                            Request.of(prompt).with("lora"),
                            Request.of(prompt).with("prompt")))
                    .toList();

            List<Completion> mixed = generator.generateEach(requests);

            for (int i = 0; i < requests.size(); i++) {
                assertThat(mixed.get(i)).isEqualTo(generator.generate(requests.get(i)));
            }
            assertThat(mixed.get(2).text()).isEqualTo(ANSWERS.get(0));
            assertThatThrownBy(() -> generator.generate(Request.of("a").with("nobody")))
                    .isInstanceOf(UnknownAdapterException.class);
            assertThatThrownBy(() -> generator.generate("a"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("use requests that name it");
        }
    }

    @Test
    void textsStopAtTheModelsLastPositionUnlessMoreWasAskedFor() {
        String prompt = "one two three ".repeat(10);
        try (Backbone base = llama();
                Generator generator = Generator.of(base)) {
            assertThat(generator.generate(prompt).tokens()).hasSizeLessThanOrEqualTo(2);
            assertThat(generator.maxTokens(2).generate(prompt).tokens()).hasSizeLessThanOrEqualTo(2);
            assertThatThrownBy(() -> generator.maxTokens(3).generate(List.of("one", prompt)))
                    .isInstanceOf(PeftException.class)
                    .hasMessage("row 1 has a prompt of 30 tokens and may get 3 more, but the model takes at most 32;"
                            + " shorten the prompt or ask for fewer tokens");
            assertThatThrownBy(() -> generator.generate("one ".repeat(32)))
                    .hasMessageContaining("row 0 has a prompt of 32 tokens and may get 1 more");
            assertThatThrownBy(() -> generator.generate(" "))
                    .isInstanceOf(PeftException.class)
                    .hasMessageContaining("has no tokens");
            assertThatThrownBy(() -> generator.maxTokens(0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("tokens of a text: expected at least 1, found 0");
        }
    }

    @Test
    void theGenerationConfigurationMayNameMoreEnds() throws IOException {
        try (Backbone base = llama()) {
            assertThat(base.endTokens()).containsExactly(5);
        }
        Files.writeString(
                folder.resolve("llama").resolve("generation_config.json"), "{\"eos_token_id\": [26, 5], \"top_k\": 4}");
        try (Backbone base = Backbones.load(folder.resolve("llama"), backend(), DType.F32);
                Generator generator = Generator.of(base)) {
            assertThat(base.endTokens()).containsExactly(5, 26);
            Completion red =
                    generator.choosing((ids, logits) -> ids.length < 3 ? 6 : 26).generate("one");
            assertThat(red).isEqualTo(new Completion("the the", List.of(6, 6), true));
        }
    }

    @Test
    void tokensAreChosenAsAskedAndItStopsWhenAsked() {
        try (Backbone base = llama();
                Generator generator = Generator.of(base)) {
            int blue = base.tokenizer().encodePlain("blue")[0];
            Generator always = generator.choosing((ids, logits) -> blue).maxTokens(3);
            assertThat(always.generate("a room is").text()).isEqualTo("blue blue blue");
            assertThatThrownBy(() -> always.cancelWhen(() -> true).generate("a room is"))
                    .isInstanceOf(CancellationException.class);
        }
    }
}
