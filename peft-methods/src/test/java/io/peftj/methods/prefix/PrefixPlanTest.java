package io.peftj.methods.prefix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.LinearAlgebra;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import io.peftj.methods.TestContext;
import io.peftj.methods.TinyModels;
import io.peftj.testkit.reference.ReferenceBackend;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PrefixPlanTest {
    private static final String STORED = "prompt_embeddings";

    private static AdapterPlan plan(int layers, PrefixConfig.Builder builder) {
        return new PrefixMethod().plan(TinyModels.llama(layers), builder.build());
    }

    private static Map<String, Tensor> tensors(Session session, Map<String, HostTensor> values) {
        Map<String, Tensor> tensors = new HashMap<>();
        values.forEach((name, value) -> tensors.put(name, session.tensor(value)));
        return tensors;
    }

    @Test
    void everyLayerHasItsKeysAndThenItsValues() {
        AdapterPlan plan = plan(2, PrefixConfig.builder().virtualTokens(3));
        // Row t counts from 16·t: keys of layer 0, values of layer 0, keys of layer 1, values of layer 1, four each.
        float[] values = new float[48];
        IntStream.range(0, 48).forEach(i -> values[i] = i);

        try (Session session = Session.open(ReferenceBackend.exact())) {
            Map<String, Tensor> effective = plan.derive(
                    tensors(session, Map.of(STORED, HostTensor.of(Shape.of(3, 16), values))), TestContext.EMPTY);

            assertThat(effective)
                    .containsOnlyKeys("layers.0.keys", "layers.0.values", "layers.1.keys", "layers.1.values");
            assertThat(effective.get("layers.1.keys").shape()).isEqualTo(Shape.of(3, 2, 2));
            assertThat(effective.get("layers.1.keys").toDoubles())
                    .containsExactly(8, 9, 10, 11, 24, 25, 26, 27, 40, 41, 42, 43);
            assertThat(effective.get("layers.0.values").toDoubles())
                    .containsExactly(4, 5, 6, 7, 20, 21, 22, 23, 36, 37, 38, 39);
        }
        assertThat(plan.contributions())
                .containsExactly(
                        new Contribution.KeyValues(0, "layers.0.keys", "layers.0.values"),
                        new Contribution.KeyValues(1, "layers.1.keys", "layers.1.values"));
        assertThat(plan.positionShift()).isEqualTo(3);
    }

    @Test
    void aClassifiersHeadHasPeftsShorterName() {
        PrefixConfig config = PrefixConfig.builder()
                .virtualTokens(3)
                .taskType(TaskType.SEQ_CLS)
                .build();

        assertThat(new PrefixMethod().plan(TinyModels.bert(), config).stored())
                .containsExactly(
                        new ParameterSpec(STORED, Shape.of(3, 16)),
                        new ParameterSpec("base_model.classifier.weight", Shape.of(2, 8)),
                        new ParameterSpec("base_model.classifier.bias", Shape.of(2)));
    }

    @Test
    void startsAsAskedFor() {
        float[] normal = plan(1, PrefixConfig.builder().virtualTokens(10))
                .initialise(TestContext.EMPTY)
                .get(STORED)
                .values();
        float[] zero = plan(1, PrefixConfig.builder().init(PrefixInit.zero()))
                .initialise(TestContext.EMPTY)
                .get(STORED)
                .values();

        double square = IntStream.range(0, normal.length)
                .mapToDouble(i -> normal[i] * normal[i])
                .sum();
        assertThat(square / normal.length).isCloseTo(1, within(0.4));
        assertThat(normal).doesNotHaveDuplicates();
        assertThat(zero).containsOnly(0);
    }

    @Test
    void aTextStartsAsTheModelsOwnKeysAndValuesOfItsTokensRepeatedOrCut() {
        HostTensor five = plan(2, PrefixConfig.builder().virtualTokens(5).init(PrefixInit.fromText("ab")))
                .initialise(new EchoingModel(2))
                .get(STORED);
        HostTensor one = plan(2, PrefixConfig.builder().virtualTokens(1).init(PrefixInit.fromText("ab")))
                .initialise(new EchoingModel(2))
                .get(STORED);

        assertThat(five.shape()).isEqualTo(Shape.of(5, 16));
        for (int t = 0; t < 5; t++) {
            float id = t % 2 == 0 ? 'a' : 'b';
            for (int i = 0; i < 16; i++) {
                assertThat(five.values()[16 * t + i]).isEqualTo(id + 1000 * (i / 4));
            }
        }
        assertThat(one.values()).hasSize(16).startsWith('a').endsWith('a' + 3000);
    }

    /** A model whose keys and values are the token ids, plus 1000 for each of layer 0's values, layer 1's keys, layer 1's values. */
    private record EchoingModel(int layers) implements InitialiseContext {
        @Override
        public CounterRandom random(String parameter) {
            return TestContext.EMPTY.random(parameter);
        }

        @Override
        public boolean hasBase(String parameter) {
            return false;
        }

        @Override
        public HostTensor base(String parameter) {
            throw new UnsupportedOperationException(parameter);
        }

        @Override
        public LinearAlgebra linearAlgebra() {
            return TestContext.EMPTY.linearAlgebra();
        }

        @Override
        public HostTensor once(String name, Supplier<HostTensor> make) {
            return make.get();
        }

        @Override
        public int[] tokenIds(String text) {
            return TestContext.EMPTY.tokenIds(text);
        }

        @Override
        public List<KeysAndValues> keysAndValues(int... ids) {
            List<KeysAndValues> all = new ArrayList<>();
            for (int l = 0; l < layers; l++) {
                all.add(new KeysAndValues(echo(2000 * l, ids), echo(2000 * l + 1000, ids)));
            }
            return all;
        }

        private static HostTensor echo(int plus, int... ids) {
            float[] values = new float[ids.length * 4];
            IntStream.range(0, values.length).forEach(i -> values[i] = ids[i / 4] + plus);
            return HostTensor.of(Shape.of(ids.length, 2, 2), values);
        }
    }

    @Test
    void theNetworkIsTrainedAndFoldedAway() {
        AdapterPlan plan =
                plan(1, PrefixConfig.builder().virtualTokens(3).projection(true).encoderHiddenSize(5));

        assertThat(plan.raw())
                .containsExactly(
                        new ParameterSpec("prompt_encoder.embedding.weight", Shape.of(3, 4)),
                        new ParameterSpec("prompt_encoder.transform.0.weight", Shape.of(5, 4)),
                        new ParameterSpec("prompt_encoder.transform.0.bias", Shape.of(5)),
                        new ParameterSpec("prompt_encoder.transform.2.weight", Shape.of(8, 5)),
                        new ParameterSpec("prompt_encoder.transform.2.bias", Shape.of(8)));
        assertThat(plan.stored()).containsExactly(new ParameterSpec(STORED, Shape.of(3, 8)));
        assertThat(plan.trainableCount()).isEqualTo(12 + 20 + 5 + 40 + 8);

        Map<String, HostTensor> raw = plan.initialise(TestContext.EMPTY);
        try (Session session = Session.open(ReferenceBackend.exact())) {
            Map<String, Tensor> folded = plan.fold(tensors(session, raw));

            assertThat(folded).containsOnlyKeys(STORED);
            assertThat(folded.get(STORED).toDoubles()).containsExactly(network(raw), within(1e-9));
            assertThat(plan.derive(tensors(session, raw), TestContext.EMPTY)
                            .get("layers.0.keys")
                            .toDoubles())
                    .containsExactly(folded.get(STORED).slice(1, 0, 4).toDoubles(), within(0.0));
            assertThat(plan.fold(folded)).isSameAs(folded);
        }
    }

    /** tanh(E·W₀ᵀ + b₀)·W₂ᵀ + b₂ by loops. */
    private static double[] network(Map<String, HostTensor> raw) {
        float[] e = raw.get("prompt_encoder.embedding.weight").values();
        float[] w0 = raw.get("prompt_encoder.transform.0.weight").values();
        float[] b0 = raw.get("prompt_encoder.transform.0.bias").values();
        float[] w2 = raw.get("prompt_encoder.transform.2.weight").values();
        float[] b2 = raw.get("prompt_encoder.transform.2.bias").values();
        double[] out = new double[24];
        for (int t = 0; t < 3; t++) {
            for (int o = 0; o < 8; o++) {
                double sum = b2[o];
                for (int h = 0; h < 5; h++) {
                    double z = b0[h];
                    for (int i = 0; i < 4; i++) {
                        z += (double) e[4 * t + i] * w0[4 * h + i];
                    }
                    sum += w2[5 * o + h] * Math.tanh(z);
                }
                out[8 * t + o] = sum;
            }
        }
        return out;
    }

    @Test
    void aNetworkThatStartsAtZeroMakesAZeroPrefix() {
        AdapterPlan plan =
                plan(1, PrefixConfig.builder().virtualTokens(3).projection(true).init(PrefixInit.zero()));

        try (Session session = Session.open(ReferenceBackend.exact())) {
            Map<String, Tensor> folded = plan.fold(tensors(session, plan.initialise(TestContext.EMPTY)));

            assertThat(folded.get(STORED).toDoubles()).containsOnly(0);
        }
    }
}
