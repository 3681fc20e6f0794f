package io.peftj.djl.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.PeftException;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.tensor.DType;
import io.peftj.djl.fixtures.NextTokens;
import io.peftj.djl.generate.Continuation;
import io.peftj.djl.generate.Decoder;
import io.peftj.djl.generate.Prompt;
import io.peftj.djl.generate.Sampling;
import io.peftj.djl.generate.TokenChooser;
import io.peftj.djl.generate.TokenListener;
import io.peftj.djl.train.Example.Assigned;
import io.peftj.testkit.FaultyBackend;
import io.peftj.testkit.FaultyBackend.InjectedFault;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Prompts under adapters of several methods, alone and stacked, that go on together with keys and values kept. */
class GenerationTest {
    private static final int NEW = 6;

    private final long atStart = TestBackends.ENGINE.memory().liveBytes();
    private final List<ResidentAdapter> adapters = new ArrayList<>();
    private BackboneModel model;

    @BeforeEach
    void open() {
        model = TinyBackbones.llama(TestBackends.ENGINE, DType.F32);
    }

    @AfterEach
    void everythingIsFreed() {
        close(model);
        assertThat(TestBackends.ENGINE.memory().liveBytes()).isEqualTo(atStart);
    }

    private void close(BackboneModel opened) {
        adapters.forEach(ResidentAdapter::close);
        adapters.clear();
        opened.close();
    }

    /** Ragged prompts of the base, of LoRA of two ranks, of (IA)3, of prefixes and of prompts of two lengths, of LoReFT and PEDRO, and of stacks of them. */
    private List<Prompt> prompts(BackboneModel on) {
        MixedRows mixed = MixedRows.on(on);
        mixed.adapters().forEach(adapter -> adapters.add(adapter.resident(on)));
        List<Prompt> prompts = new ArrayList<>();
        for (Assigned row : mixed.rows()) {
            int[] ids = IntStream.range(0, row.example().length())
                    .map(row.example()::id)
                    .toArray();
            prompts.add(Prompt.of(NEW, ids)
                    .under(row.adapters().stream().map(adapters::get).toArray(ResidentAdapter[]::new)));
        }
        return prompts;
    }

    /** Without tokens that end rows, so that every row has as many as it may. */
    private static Decoder endless(BackboneModel on) {
        return Decoder.on(on.base()).endingAt(List.of());
    }

    private static List<Prompt> choosing(List<Prompt> prompts, TokenChooser chooser) {
        return prompts.stream().map(prompt -> prompt.choosing(chooser)).toList();
    }

    static Stream<Named<Supplier<BackboneModel>>> models() {
        return Stream.of(
                Named.of("exact", () -> TinyBackbones.llama(TestBackends.EXACT, DType.F32)),
                Named.of("exact, tied", () -> TinyBackbones.tiedLlama(TestBackends.EXACT, DType.F32)),
                Named.of("engine, F32", () -> TinyBackbones.llama(TestBackends.ENGINE, DType.F32)),
                Named.of("engine, BF16", () -> TinyBackbones.llama(TestBackends.ENGINE, DType.BF16)));
    }

    @ParameterizedTest
    @MethodSource("models")
    void everyStepsLogitsAreThoseOfAWholePass(Supplier<BackboneModel> opener) {
        BackboneModel on = opener.get();
        try {
            double tolerance = on.isExact() ? 1e-9 : on.dtype() == DType.BF16 ? 0.12 : 1e-4;
            List<Prompt> prompts = prompts(on);
            AtomicInteger steps = new AtomicInteger();
            endless(on).decode(choosing(prompts, (ids, logits) -> {
                Prompt prompt = begun(prompts, ids);
                float[] whole = NextTokens.logitsAfter(on.base(), prompt.adapters(), prompt.length(), ids);
                assertThat(worst(logits, whole))
                        .as("%s continued to %s", prompt, Arrays.toString(ids))
                        .isLessThan(tolerance);
                return steps.getAndIncrement() % on.spec().vocabulary();
            }));
            assertThat(steps).hasValue(NEW * prompts.size());
        } finally {
            close(on);
        }
    }

    /** The prompt that ids begin with; the longest, since one may begin like another. */
    private static Prompt begun(List<Prompt> prompts, int... ids) {
        return prompts.stream()
                .filter(prompt -> prompt.length() <= ids.length
                        && Arrays.equals(Arrays.copyOf(ids, prompt.length()), prompt.ids()))
                .max(Comparator.comparingInt(Prompt::length))
                .orElseThrow();
    }

    private static double worst(float[] found, float[] expected) {
        double worst = 0;
        double largest = 0;
        for (int i = 0; i < expected.length; i++) {
            worst = Math.max(worst, Math.abs(found[i] - expected[i]));
            largest = Math.max(largest, Math.abs(expected[i]));
        }
        return worst / largest;
    }

    @Test
    void rowsGoOnTogetherAsTheyDoAlone() {
        List<Prompt> prompts = prompts(model);

        List<Continuation> together = endless(model).decode(prompts);

        for (int i = 0; i < prompts.size(); i++) {
            assertThat(together.get(i).tokens()).as(prompts.get(i).toString()).hasSize(NEW);
            assertThat(together.get(i))
                    .isEqualTo(endless(model).decode(List.of(prompts.get(i))).get(0));
        }
    }

    @Test
    void moreRowsThanThereIsRoomForTakeTurns() {
        List<Prompt> prompts = new ArrayList<>(prompts(model));
        int once = prompts.size();
        prompts.addAll(List.copyOf(prompts));
        prompts.addAll(List.copyOf(prompts));
        assertThat(prompts).hasSizeGreaterThan(128);
        // Rows end at different times, and others take their places.
        List<Integer> ends = List.of(1, 2, 3, 5, 8, 13);
        Decoder decoder = Decoder.on(model.base()).endingAt(ends);

        List<Continuation> all = decoder.decode(prompts);

        for (int i = 0; i < prompts.size(); i++) {
            assertThat(all.get(i)).isEqualTo(all.get(i % once));
        }
        assertThat(all.subList(0, once)).isEqualTo(decoder.decode(prompts.subList(0, once)));
    }

    @Test
    void aRowEndsAtAnEndTokenAndIsNotAskedAgain() {
        List<Prompt> prompts = IntStream.range(0, 4)
                .mapToObj(i -> Prompt.of(NEW, 20 + i % 3, 7))
                .toList();
        AtomicInteger asked = new AtomicInteger();
        // A row whose first id is 20 + i ends with its token number i.
        TokenChooser chooser = (ids, logits) -> {
            asked.incrementAndGet();
            return ids.length - 2 == ids[0] - 20 ? 9 : 4;
        };

        List<Continuation> found =
                Decoder.on(model.base()).endingAt(List.of(9, 10)).decode(choosing(prompts, chooser));

        assertThat(found)
                .containsExactly(
                        new Continuation(List.of(), true),
                        new Continuation(List.of(4), true),
                        new Continuation(List.of(4, 4), true),
                        new Continuation(List.of(), true));
        assertThat(asked).hasValue(1 + 2 + 3 + 1);
    }

    @Test
    void aRowsDrawsDependOnNothingBesideIt() {
        List<Prompt> prompts = new ArrayList<>();
        for (Prompt prompt : prompts(model)) {
            // Greedy rows among them.
            Sampling sampling = Sampling.at(prompts.size() % 3).withTopP(0.9).withSeed(prompts.size());
            prompts.add(prompt.choosing(sampling));
        }

        List<Continuation> together = endless(model).decode(prompts);

        for (int i = 0; i < prompts.size(); i++) {
            assertThat(together.get(i))
                    .as("row %d, %s", i, prompts.get(i))
                    .isEqualTo(endless(model).decode(List.of(prompts.get(i))).get(0));
        }
        assertThat(IntStream.range(0, 8)
                        .mapToObj(seed -> endless(model)
                                .decode(List.of(Prompt.of(NEW, 1, 2)
                                        .choosing(Sampling.at(1).withSeed(seed))))
                                .get(0))
                        .distinct())
                .hasSizeGreaterThan(1);
    }

    @Test
    void onlyTheLikeliestTokenIsReadWhereNoMoreIsAskedFor() {
        FaultyBackend counting = FaultyBackend.counting(TestBackends.ENGINE);
        try (BackboneModel counted = TinyBackbones.llama(counting, DType.F32)) {
            Prompt prompt = Prompt.of(3, 1, 2);
            long begun = counting.calls();
            endless(counted).decode(List.of(prompt));
            long greedy = counting.calls() - begun;
            endless(counted).decode(List.of(prompt.choosing(Sampling.at(1))));
            // Logits in single precision are read as they are: one more call a pass.
            assertThat(counting.calls() - begun - greedy).isEqualTo(greedy + 3);
        }
    }

    @Test
    void listenersSeeTokensInOrderAndMayEndARow() {
        List<String> seen = new ArrayList<>();
        List<Prompt> prompts =
                List.of(Prompt.of(3, 1, 2), Prompt.of(4, 5), Prompt.of(2, 7).endingAlsoAt(List.of(4)));
        TokenChooser chooser = (ids, logits) -> ids[0] == 7 ? 4 : ids.length;

        List<Continuation> found = endless(model)
                .listening(new TokenListener() {
                    @Override
                    public boolean accept(int row, int token) {
                        seen.add(row + ":" + token);
                        return row != 1 || token < 2;
                    }

                    @Override
                    public void done(int row, Continuation continuation) {
                        seen.add(row + " done");
                    }
                })
                .decode(choosing(prompts, chooser));

        assertThat(found)
                .containsExactly(
                        new Continuation(List.of(2, 3, 4), false),
                        new Continuation(List.of(1, 2), true),
                        new Continuation(List.of(), true));
        assertThat(seen).filteredOn(event -> event.startsWith("0")).containsExactly("0:2", "0:3", "0:4", "0 done");
        assertThat(seen).contains("1:2", "1 done", "2 done").hasSize(8);
    }

    @Test
    void theMostTokensMayDifferByRow() {
        List<Continuation> found = endless(model).decode(List.of(Prompt.of(1, 3, 4), Prompt.of(5, 3, 4)));

        assertThat(found.get(0).tokens())
                .hasSize(1)
                .isEqualTo(found.get(1).tokens().subList(0, 1));
        assertThat(found.get(1).tokens()).hasSize(5);
        assertThat(found).extracting(Continuation::ended).containsExactly(false, false);
        assertThat(endless(model).decode(List.of())).isEmpty();
    }

    @Test
    void whatDoesNotFitIsRefusedBeforeAnythingIsComputed() {
        FaultyBackend counting = FaultyBackend.counting(TestBackends.ENGINE);
        try (BackboneModel counted = TinyBackbones.llama(counting, DType.F32)) {
            MixedRows.on(counted).adapters().forEach(adapter -> adapters.add(adapter.resident(counted)));
            ResidentAdapter prefixOf2 = adapters.get(3);
            ResidentAdapter prefixOf4 = adapters.get(4);
            Prompt fine = Prompt.of(2, 1, 2);
            long calls = counting.calls();

            refused(counted, fine, Prompt.of(20, new int[13]))
                    .isInstanceOf(PeftException.class)
                    .hasMessage("row 1 has a prompt of 13 tokens and may get 20 more, but the model takes at most 32;"
                            + " shorten the prompt or ask for fewer tokens");
            refused(counted, Prompt.of(20, new int[12]).under(prefixOf2))
                    .hasMessage(
                            "row 0 has a prompt of 12 tokens after 2 virtual ones and may get 20 more, but the model"
                                    + " takes at most 32; shorten the prompt or ask for fewer tokens");
            refused(counted, Prompt.of(1, new int[40]))
                    .hasMessage("row 0 has 40 tokens, but the model takes at most 32; cut the text");
            refused(counted, fine, Prompt.of(1)).hasMessageContaining("row 1 has no tokens");
            refused(counted, fine, Prompt.of(1, 24)).hasMessageContaining("row 1 has token id 24");
            refused(counted, fine.under(prefixOf2, prefixOf4)).hasMessageContaining("both bring prefixes");
            refused(counted, fine.under(adapters.get(8), adapters.get(9)))
                    .hasMessage("adapters prompt of 3 and P-tuned prompt of 5 both bring virtual tokens; a row's stack"
                            + " can have one such adapter");
            refused(counted, Prompt.of(20, new int[10]).under(adapters.get(8)))
                    .hasMessageContaining("row 0 has a prompt of 10 tokens after 3 virtual ones and may get 20 more");

            assertThat(counting.calls()).isEqualTo(calls);
            assertThat(Decoder.on(counted.base()).decode(List.of(Prompt.of(20, new int[12]))))
                    .hasSize(1);
        }
    }

    private static org.assertj.core.api.AbstractThrowableAssert<?, ?> refused(BackboneModel on, Prompt... prompts) {
        return assertThatThrownBy(() -> Decoder.on(on.base()).decode(List.of(prompts)));
    }

    @Test
    void onlyLanguageModelsContinue() {
        try (BackboneModel bert = TinyBackbones.bert(TestBackends.ENGINE, DType.F32);
                BackboneModel classifier = TinyBackbones.llamaClassifier(TestBackends.ENGINE, DType.F32)) {
            for (BackboneModel other : List.of(bert, classifier)) {
                refused(other, Prompt.of(1, 2))
                        .isInstanceOf(PeftException.class)
                        .hasMessageContaining("makes no next-token logits; open a language model");
            }
        }
        assertThatThrownBy(() -> Prompt.of(0, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("tokens of an answer: expected at least 1, found 0");
    }

    @Test
    void itStopsBetweenStepsAndBetweenLayers() {
        // No more than advance at once.
        List<Prompt> prompts = prompts(model).subList(0, 50);
        long live = TestBackends.ENGINE.memory().liveBytes();
        AtomicInteger chosen = new AtomicInteger();
        List<Prompt> counted = choosing(prompts, (ids, logits) -> {
            chosen.incrementAndGet();
            return 4;
        });
        Decoder stopping = endless(model).cancelWhen(() -> chosen.get() >= 2 * prompts.size());
        assertThatThrownBy(() -> stopping.decode(counted)).isInstanceOf(CancellationException.class);
        assertThat(chosen).hasValue(2 * prompts.size());

        AtomicInteger layers = new AtomicInteger();
        assertThatThrownBy(() -> endless(model)
                        .cancelWhen(() -> layers.incrementAndGet() == 4)
                        .decode(prompts))
                .isInstanceOf(CancellationException.class);
        assertThat(TestBackends.ENGINE.memory().liveBytes()).isEqualTo(live);
    }

    @Test
    void aFaultAtAnyKernelLeavesNothingBehind() {
        FaultyBackend counting = FaultyBackend.counting(TestBackends.ENGINE);
        List<Prompt> prompts = List.of(Prompt.of(3, 1, 2, 3), Prompt.of(2, 5));
        long before;
        long after;
        try (BackboneModel counted = TinyBackbones.llama(counting, DType.F32)) {
            before = counting.calls();
            endless(counted).decode(prompts);
            after = counting.calls();
        }
        for (long call = before; call < after; call++) {
            try (BackboneModel faulty =
                    TinyBackbones.llama(FaultyBackend.failingAt(TestBackends.ENGINE, call), DType.F32)) {
                long live = TestBackends.ENGINE.memory().liveBytes();
                assertThatThrownBy(() -> endless(faulty).decode(prompts)).isInstanceOf(InjectedFault.class);
                assertThat(TestBackends.ENGINE.memory().liveBytes())
                        .as("after call %d", call)
                        .isEqualTo(live);
            }
        }
    }

    @Test
    void aModelThatIsClosedMeanwhileFinishesTheText() {
        BackboneModel closing = TinyBackbones.llama(TestBackends.ENGINE, DType.F32);
        Decoder decoder = endless(closing);
        List<Prompt> prompts = choosing(List.of(Prompt.of(3, 1, 2)), (ids, logits) -> {
            closing.close();
            return 4;
        });

        assertThat(decoder.decode(prompts).get(0).tokens()).isEqualTo(Collections.nCopies(3, 4));
        assertThatThrownBy(() -> decoder.decode(prompts))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("generate: the backbone is closed");
    }
}
