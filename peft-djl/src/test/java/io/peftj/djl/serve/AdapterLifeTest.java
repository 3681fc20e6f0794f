package io.peftj.djl.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.tensor.Backend;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.train.PromptAnswer;
import io.peftj.djl.train.TinyTraining;
import io.peftj.methods.ia3.Ia3Config;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.methods.prefix.PrefixConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Adapters of one model from the day they come until they are gone, while texts are written. */
class AdapterLifeTest extends TinyTraining {
    private static final String PROMPT = "a room is";
    private static final LoraConfig LORA = LoraConfig.builder().rank(4).build();

    @Override
    protected Backend newBackend() {
        return engine();
    }

    private static Adapter answering(Backbone base, AdapterConfig method, String answer) {
        return colours(base, method).epochs(120).learningRate(5e-2).fit(List.of(new PromptAnswer(PROMPT, answer)));
    }

    private static String text(Generator generator, String name) {
        return generator.generate(Request.of(PROMPT).with(name)).text();
    }

    @Test
    void eachCallHasItsOwnAdapterAndWithoutOneTheBaseAnswersBitForBit() {
        try (Backbone base = llama()) {
            List<float[]> before = logits(Generator.of(base));
            try (Adapters adapters = Adapters.on(base)) {
                adapters.put("red", answering(base, LORA, "very red"));
                adapters.put(
                        "blue",
                        answering(base, PrefixConfig.builder().virtualTokens(3).build(), "blue and blue"));
                Generator generator = Generator.of(adapters).maxTokens(3);

                assertThat(text(generator, "red")).isEqualTo("very red");
                assertThat(text(generator, "blue")).isEqualTo("blue and blue");
                assertThat(text(generator, "red")).isEqualTo("very red");
                assertThat(logits(generator)).usingRecursiveComparison().isEqualTo(before);
            }
        }
    }

    /** Of three steps without an adapter. */
    private static List<float[]> logits(Generator generator) {
        List<float[]> seen = new ArrayList<>();
        generator
                .maxTokens(3)
                .choosing((ids, logits) -> {
                    seen.add(logits.clone());
                    return ids.length;
                })
                .generateEach(List.of(Request.of(PROMPT)));
        assertThat(seen).hasSize(3);
        return seen;
    }

    @Test
    void aRunningTextFinishesWithTheAdapterItBeganWith() throws Exception {
        try (Backbone base = llama();
                Adapters adapters = Adapters.on(base)) {
            adapters.put("x", answering(base, LORA, "one two three"));
            Adapter other = answering(base, Ia3Config.builder().build(), "blue");
            String expected = text(Generator.of(adapters), "x");
            long live = backend().memory().liveBytes();
            CountDownLatch begun = new CountDownLatch(1);
            CountDownLatch replaced = new CountDownLatch(1);
            ExecutorService threads = Executors.newSingleThreadExecutor();
            try {
                Future<Completion> running = threads.submit(() -> Generator.of(adapters)
                        .generateEach(List.of(Request.of(PROMPT).with("x")), (request, piece) -> {
                            begun.countDown();
                            await(replaced);
                        })
                        .get(0));
                await(begun);
                adapters.put("x", other);
                assertThat(text(Generator.of(adapters), "x")).isEqualTo("blue");
                adapters.remove("x");
                assertThatThrownBy(() -> text(Generator.of(adapters), "x")).isInstanceOf(UnknownAdapterException.class);
                replaced.countDown();
                assertThat(running.get().text()).isEqualTo(expected).isEqualTo("one two three");
            } finally {
                threads.shutdownNow();
            }
            // The first one was freed by the text that used it last.
            assertThat(backend().memory().liveBytes()).isLessThan(live);
            adapters.put("x", answering(base, LORA, "one two three"));
            assertThat(backend().memory().liveBytes()).isEqualTo(live);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(1, TimeUnit.MINUTES)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void whoeverServesMeanwhileGetsTheOldOrTheNewAdapterWhole() throws Exception {
        try (Backbone base = llama();
                Adapters adapters = Adapters.on(base)) {
            Adapter red = answering(base, LORA, "very red");
            Adapter blue = answering(base, LORA.toBuilder().rank(2).build(), "blue and blue");
            long empty = backend().memory().liveBytes();
            adapters.put("x", red);
            AtomicBoolean over = new AtomicBoolean();
            ExecutorService threads = Executors.newFixedThreadPool(4);
            try {
                List<Future<List<String>>> serving = IntStream.range(0, 4)
                        .<Callable<List<String>>>mapToObj(thread -> () -> {
                            List<String> texts = new ArrayList<>();
                            while (!over.get()) {
                                texts.add(text(Generator.of(adapters), "x"));
                            }
                            return texts;
                        })
                        .map(threads::submit)
                        .toList();
                Generator own = Generator.of(adapters);
                for (int round = 0; round < 10; round++) {
                    adapters.put("x", round % 2 == 0 ? blue : red);
                    assertThat(text(own, "x")).isEqualTo(round % 2 == 0 ? "blue and blue" : "very red");
                }
                over.set(true);
                for (Future<List<String>> texts : serving) {
                    assertThat(texts.get()).isSubsetOf("very red", "blue and blue");
                }
            } finally {
                over.set(true);
                threads.shutdownNow();
            }
            assertThat(text(Generator.of(adapters), "x")).isEqualTo("very red");
            adapters.remove("x");
            assertThat(backend().memory().liveBytes()).isEqualTo(empty);
        }
    }
}
