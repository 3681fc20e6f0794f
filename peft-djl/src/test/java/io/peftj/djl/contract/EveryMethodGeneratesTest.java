package io.peftj.djl.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.DType;
import io.peftj.djl.fixtures.NextTokens;
import io.peftj.djl.generate.Continuation;
import io.peftj.djl.generate.Decoder;
import io.peftj.djl.generate.Prompt;
import io.peftj.testkit.contract.TestedConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every configuration that the contract tries, of every method, in rows of one generated batch: what acts in prefill alone, what is kept, what joins each step. */
class EveryMethodGeneratesTest {
    private static final List<BackboneContract> METHODS = List.of(
            new LoraContractTest(),
            new Ia3ContractTest(),
            new PrefixContractTest(),
            new PromptContractTest(),
            new PTuningContractTest(),
            new ReftContractTest(),
            new PedroContractTest(),
            new BottleneckContractTest(),
            new BitFitContractTest(),
            new FullContractTest(),
            new HeadContractTest(),
            new GainContractTest());

    private static final int NEW = 4;

    /** Small enough for single precision to show mistakes, large enough for each to change the result. */
    private static final double DEVIATION = 0.2;

    static Stream<Named<Supplier<BackboneModel>>> models() {
        return Stream.of(
                Named.of("LLaMA, exact", () -> TinyBackbones.llama(TestBackends.EXACT, DType.F32)),
                Named.of("LLaMA", () -> TinyBackbones.llama(TestBackends.ENGINE, DType.F32)),
                Named.of("Mistral", () -> TinyBackbones.mistral(TestBackends.ENGINE, DType.F32)),
                Named.of("Qwen2", () -> TinyBackbones.qwen2(TestBackends.ENGINE, DType.F32)),
                Named.of("Qwen3", () -> TinyBackbones.qwen3(TestBackends.ENGINE, DType.F32)),
                Named.of("GPT-2", () -> TinyBackbones.gpt2(TestBackends.ENGINE, DType.F32)));
    }

    @ParameterizedTest
    @MethodSource("models")
    void cachedLogitsAreThoseOfAWholePassInAnyRow(Supplier<BackboneModel> opener) {
        try (Rows rows = new Rows(opener.get())) {
            double tolerance = rows.model.isExact() ? 1e-9 : 1e-4;
            List<Prompt> prompts = IntStream.range(0, rows.prompts.size())
                    .mapToObj(row -> rows.prompts.get(row).choosing((ids, logits) -> {
                        Prompt prompt = rows.prompts.get(row);
                        float[] whole =
                                NextTokens.logitsAfter(rows.model.base(), prompt.adapters(), prompt.length(), ids);
                        assertThat(worst(logits, whole))
                                .as("%s continued to %s", rows.names.get(row), Arrays.toString(ids))
                                .isLessThan(tolerance);
                        return (row + 3 * ids.length) % rows.model.spec().vocabulary();
                    }))
                    .toList();

            List<Continuation> found = rows.decoder().decode(prompts);

            assertThat(found).allMatch(continuation -> continuation.tokens().size() == NEW);
        }
    }

    @Test
    void eachRowGoesOnAsItDoesAlone() {
        try (Rows rows = new Rows(TinyBackbones.llama(TestBackends.ENGINE, DType.F32))) {
            List<Continuation> together = rows.decoder().decode(rows.prompts);
            for (int row = 0; row < together.size(); row++) {
                assertThat(together.get(row))
                        .as(rows.names.get(row))
                        .isEqualTo(rows.decoder()
                                .decode(List.of(rows.prompts.get(row)))
                                .get(0));
            }
        }
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

    /** Ragged prompts, two under each configuration and the base alone between them. */
    private static final class Rows implements AutoCloseable {
        private final BackboneModel model;
        private final List<ResidentAdapter> adapters = new ArrayList<>();
        private final List<Prompt> prompts = new ArrayList<>();
        private final List<String> names = new ArrayList<>();

        Rows(BackboneModel model) {
            this.model = model;
            CounterRandom random = CounterRandom.of(11);
            configs(model.spec()).forEach((name, tested) -> {
                ResidentAdapter adapter = TestAdapter.random(name, tested.config(), model.spec(), DEVIATION)
                        .resident(model);
                adapters.add(adapter);
                for (int i = 0; i < 2; i++) {
                    add(name, prompt(random).under(adapter));
                }
                add("base", prompt(random));
            });
        }

        private static Map<String, TestedConfig> configs(BackboneSpec spec) {
            Map<String, TestedConfig> configs = new LinkedHashMap<>();
            for (BackboneContract method : METHODS) {
                for (TestedConfig tested : method.configs(spec)) {
                    configs.put(method.getClass().getSimpleName() + ": " + tested.name(), tested);
                }
            }
            assertThat(configs).hasSizeGreaterThan(30);
            return configs;
        }

        private Prompt prompt(CounterRandom random) {
            int[] ids = new int[2 + random.nextInt(8)];
            Arrays.setAll(ids, i -> random.nextInt(model.spec().vocabulary()));
            return Prompt.of(NEW, ids);
        }

        private void add(String name, Prompt prompt) {
            names.add(name);
            prompts.add(prompt);
        }

        Decoder decoder() {
            return Decoder.on(model.base()).endingAt(List.of());
        }

        @Override
        public void close() {
            adapters.forEach(ResidentAdapter::close);
            model.close();
        }
    }
}
