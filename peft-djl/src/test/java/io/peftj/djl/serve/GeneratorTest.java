package io.peftj.djl.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.PeftException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.tensor.DType;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Backbones;
import io.peftj.djl.generate.Sampling;
import io.peftj.djl.train.AdapterTrainer;
import io.peftj.djl.train.PromptAnswer;
import io.peftj.djl.train.Sentences;
import io.peftj.djl.train.Tasks;
import io.peftj.djl.train.TinyTraining;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.methods.prefix.PrefixConfig;
import io.peftj.methods.prompt.PromptConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
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

    @Test
    void piecesOfATextAreTheTextWhoeverWritesBesideIt() {
        try (Backbone base = llama();
                Generator generator = Generator.of(base, learnt(base))) {
            Map<Integer, List<String>> pieces = new TreeMap<>();
            Map<Integer, Completion> done = new TreeMap<>();
            List<Request> requests = PROMPTS.stream()
                    .map(prompt -> Request.of(prompt).with("LORA"))
                    .toList();

            List<Completion> completions = generator.generateEach(requests, new TextListener() {
                @Override
                public void text(int request, String piece) {
                    pieces.computeIfAbsent(request, key -> new ArrayList<>()).add(piece);
                }

                @Override
                public void done(int request, Completion completion) {
                    done.put(request, completion);
                }
            });

            assertThat(completions).extracting(Completion::text).isEqualTo(ANSWERS);
            assertThat(List.copyOf(done.values())).isEqualTo(completions);
            pieces.forEach((request, some) -> assertThat(String.join("", some)).isEqualTo(ANSWERS.get(request)));
            assertThat(pieces.get(1)).containsExactly("very", " green");
        }
    }

    @Test
    void everyRequestMayBeContinuedInItsOwnWay() {
        try (Backbone base = llama();
                Generator generator = Generator.of(base, learnt(base))) {
            Request green = Request.of(PROMPTS.get(1)).with("LORA");
            GenerationSettings usual = GenerationSettings.USUAL;
            int word = base.tokenizer().encodePlain("green")[0];

            List<Completion> found = generator.generateEach(List.of(
                    green,
                    green.withSettings(usual.withMaxTokens(1)),
                    green.withSettings(usual.withStopTexts(List.of("nothing", "y g"))),
                    green.withSettings(usual.withStopTokens(Set.of(word))),
                    green.withSettings(usual.withSampling(Sampling.at(1e-3).withSeed(4)))));

            assertThat(found)
                    .extracting(Completion::text)
                    .containsExactly("very green", "very", "ver", "very", "very green");
            assertThat(found).extracting(Completion::ended).containsExactly(true, false, true, true, true);
            assertThat(generator.stopAt("reen").generate(PROMPTS.get(1)).text()).isEqualTo("very g");
            assertThat(generator.sampling(Sampling.at(1e-3)).generate(PROMPTS)).isEqualTo(generator.generate(PROMPTS));
        }
        assertThatThrownBy(() -> GenerationSettings.USUAL.withStopTexts(List.of("")))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage("stop texts: expected texts of one character or more, found an empty one");
    }

    @Test
    void aWholePromptIsNotPutIntoTheAdaptersTemplate() {
        try (Backbone base = llama();
                Generator generator = Generator.of(
                        base,
                        AdapterTrainer.on(base)
                                .method(LORA)
                                .task(Tasks.answers().template("{text} is"))
                                .epochs(150)
                                .learningRate(5e-2)
                                .fit(List.of(new PromptAnswer("a room", "very green"))))) {
            assertThat(generator.generate("a room").text()).isEqualTo("very green");
            assertThat(generator.generateEach(List.of(Request.whole("a room is").with("LORA"))))
                    .extracting(Completion::text)
                    .containsExactly("very green");
        }
    }

    @Test
    void anInterruptedThreadStopsBetweenTokens() {
        try (Backbone base = llama();
                Generator generator = Generator.of(base)) {
            int blue = base.tokenizer().encodePlain("blue")[0];
            long live = backend().memory().liveBytes();
            List<String> pieces = new ArrayList<>();
            Generator always = generator.choosing((ids, logits) -> blue).maxTokens(20);

            assertThatThrownBy(() -> always.generateEach(List.of(Request.of("a room is")), (request, piece) -> {
                        pieces.add(piece);
                        if (pieces.size() == 2) {
                            Thread.currentThread().interrupt();
                        }
                    }))
                    .isInstanceOf(CancellationException.class);

            assertThat(Thread.interrupted()).isTrue();
            assertThat(pieces).containsExactly("blue", " blue");
            assertThat(backend().memory().liveBytes()).isEqualTo(live);
        }
    }

    @Test
    void aListenersErrorIsTheCallersAndLeavesNothingBehind() {
        try (Backbone base = llama();
                Generator generator = Generator.of(base)) {
            long live = backend().memory().liveBytes();
            assertThatThrownBy(() -> generator.generateEach(List.of(Request.of("a room is")), (request, piece) -> {
                        throw new IllegalStateException("enough");
                    }))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("enough");
            assertThat(backend().memory().liveBytes()).isEqualTo(live);
        }
    }
}
