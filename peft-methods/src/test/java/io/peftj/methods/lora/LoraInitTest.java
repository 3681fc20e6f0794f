package io.peftj.methods.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.TaskData;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.LinearAlgebra.Svd;
import io.peftj.core.tensor.Matrix;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import io.peftj.methods.TestContext;
import io.peftj.methods.TinyModels;
import io.peftj.testkit.reference.ReferenceBackend;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class LoraInitTest {
    private static final BackboneSpec SPEC = TinyModels.llama(1);
    private static final String Q = "base_model.model.model.layers.0.self_attn.q_proj.";
    private static final String DOWN = "base_model.model.model.layers.0.mlp.down_proj.";
    private static final HostTensor W = random("w", 8, 8);
    private static final HostTensor WIDE = random("wide", 8, 12);
    private static final TestContext CONTEXT = new TestContext(
            Map.of("model.layers.0.self_attn.q_proj.weight", W, "model.layers.0.mlp.down_proj.weight", WIDE));

    private static HostTensor random(String name, int rows, int columns) {
        return CounterRandom.of(CounterRandom.key(6, name)).normal(Shape.of(rows, columns), 1);
    }

    private static LoraConfig.Builder config(LoraInit init) {
        return LoraConfig.builder().rank(4).alpha(6).init(init).targets("q_proj", "down_proj");
    }

    private static AdapterPlan plan(LoraConfig.Builder config) {
        return AdapterMethods.plan(SPEC, config.build());
    }

    private static Matrix product(Map<String, HostTensor> values, String site) {
        return Matrix.of(values.get(site + "lora_B.weight")).times(Matrix.of(values.get(site + "lora_A.weight")));
    }

    @Test
    void gaussianMatricesSpreadLessWithTheRank() {
        LoraConfig.Builder wide =
                LoraConfig.builder().rank(16).init(LoraInit.GAUSSIAN).targets("lm_head");

        Map<String, HostTensor> values = plan(wide).initialise(TestContext.EMPTY);

        float[] a = values.get("base_model.model.lm_head.lora_A.weight").values();
        double deviation = Math.sqrt(
                IntStream.range(0, a.length).mapToDouble(i -> a[i] * a[i]).sum() / a.length);
        assertThat(deviation).isCloseTo(1.0 / 16, within(0.01));
        assertThat(values.get("base_model.model.lm_head.lora_B.weight").values())
                .containsOnly(0);
    }

    @Test
    void orthogonalMatricesHaveNoProduct() {
        Map<String, HostTensor> values = plan(config(LoraInit.ORTHOGONAL)).initialise(TestContext.EMPTY);

        for (String site : new String[] {Q, DOWN}) {
            assertThat(values.get(site + "lora_A.weight").values()).doesNotContain(0);
            assertThat(values.get(site + "lora_B.weight").values()).doesNotContain(0);
            for (double element : product(values, site).values()) {
                assertThat(element).isCloseTo(0, within(1e-7));
            }
        }
    }

    @Test
    void orthogonalMatricesNeedAnEvenRank() {
        assertThatThrownBy(() -> plan(config(LoraInit.ORTHOGONAL).rank(3)))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage("init_lora_weights \"orthogonal\": expected an even rank, found 3 for"
                        + " model.layers.0.self_attn.q_proj; make it 4, or start otherwise");
    }

    /** The nearest matrix of rank 4 leaves the square roots of the smaller squared singular values. */
    @ParameterizedTest
    @ValueSource(strings = {Q, DOWN})
    void pissaStartsAsTheNearestMatrixOfItsRank(String site) {
        Map<String, HostTensor> values = plan(config(LoraInit.PISSA)).initialise(CONTEXT);
        Matrix w = Matrix.of(site.equals(Q) ? W : WIDE);
        Svd svd = CONTEXT.linearAlgebra().svd(w);

        Matrix scaled = product(values, site).times(1.5);

        double rest = 0;
        for (int i = 0; i < w.values().length; i++) {
            rest += Math.pow(w.values()[i] - scaled.values()[i], 2);
        }
        double smaller = IntStream.range(4, svd.values().rows())
                .mapToDouble(i -> Math.pow(svd.values().get(i, 0), 2))
                .sum();
        assertThat(rest).isCloseTo(smaller, within(1e-4));
        // Both matrices have the same share of the singular values.
        Matrix a = Matrix.of(values.get(site + "lora_A.weight"));
        assertThat(a.times(a.transpose()).get(0, 0)).isCloseTo(svd.values().get(0, 0) / 1.5, within(1e-4));
    }

    @Test
    void oloraStartsAsTheFirstColumnsAndRowsOfQAndR() {
        Map<String, HostTensor> values = plan(config(LoraInit.OLORA)).initialise(CONTEXT);
        Matrix b = Matrix.of(values.get(Q + "lora_B.weight"));
        Matrix w = Matrix.of(W);

        Matrix gram = b.transpose().times(b);
        for (int i = 0; i < 16; i++) {
            assertThat(gram.values()[i]).isCloseTo(i % 5 == 0 ? 1 : 0, within(1e-5));
        }
        Matrix product = product(values, Q);
        for (int row = 0; row < 8; row++) {
            for (int column = 0; column < 4; column++) {
                assertThat(product.get(row, column)).isCloseTo(w.get(row, column), within(1e-5));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = LoraInit.class,
            names = {"PISSA", "OLORA"})
    void aPartOfTheBaseHasNoGreaterRankThanTheBase(LoraInit init) {
        assertThatThrownBy(() -> plan(config(init).rank(9)))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("expected a rank of at most the 8 that the matrix of"
                        + " model.layers.0.self_attn.q_proj has, found 9");
    }

    @ParameterizedTest
    @EnumSource(
            value = LoraInit.class,
            names = {"PISSA", "OLORA"})
    void theDeltaIsWithoutWhatItStartedFrom(LoraInit init) {
        AdapterPlan plan = plan(config(init));
        Map<String, HostTensor> start = plan.initialise(CONTEXT);
        Map<String, HostTensor> learnt = moved(start);

        double[] before = delta(plan, start);
        double[] after = delta(plan, learnt);

        Matrix expected = product(learnt, Q).above(product(start, Q).times(-1));
        for (int i = 0; i < 64; i++) {
            assertThat(before[i]).isCloseTo(0, within(1e-6));
            assertThat(after[i]).isCloseTo(1.5 * (expected.values()[i] + expected.values()[64 + i]), within(1e-5));
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = LoraInit.class,
            names = {"PISSA", "OLORA"})
    void whatWasLearntIsKeptAsOrdinaryLoraOfTwiceTheRank(LoraInit init) {
        for (boolean rankStabilised : new boolean[] {false, true}) {
            LoraConfig config = config(init)
                    .rankStabilised(rankStabilised)
                    .rankPattern(Map.of("down_proj", 3))
                    .alphaPattern(Map.of("down_proj", 5.0))
                    .targets("q_proj", "down_proj", "embed_tokens")
                    .build();
            AdapterPlan plan = AdapterMethods.plan(SPEC, config);
            Map<String, HostTensor> learnt = moved(plan.initialise(CONTEXT));

            Adapter settled = AdapterMethods.settle(
                    new Adapter(
                            "LORA",
                            AdapterMethods.complete(SPEC, config),
                            learnt,
                            TaskData.NONE,
                            null,
                            new JsonObject()),
                    SPEC,
                    CONTEXT);

            LoraConfig kept = (LoraConfig) settled.config();
            assertThat(kept.init()).isEqualTo(LoraInit.ZERO_DELTA);
            assertThat(kept.rank()).isEqualTo(8);
            assertThat(kept.rankPattern()).containsExactly(Map.entry("down_proj", 6));
            AdapterPlan keptPlan = AdapterMethods.plan(SPEC, kept);
            Map<String, Shape> shapes = new LinkedHashMap<>();
            settled.parameters().forEach((name, value) -> shapes.put(name, value.shape()));
            Map<String, Shape> planned = new LinkedHashMap<>();
            keptPlan.stored().forEach(parameter -> planned.put(parameter.name(), parameter.shape()));
            assertThat(shapes).isEqualTo(planned);
            assertThat(delta(keptPlan, settled.parameters())).containsExactly(delta(plan, learnt), within(1e-5));
        }
    }

    @Test
    void otherAdaptersAreKeptAsTheyAre() {
        Adapter adapter = new Adapter(
                "LORA", config(LoraInit.ORTHOGONAL).build(), Map.of(), TaskData.NONE, null, new JsonObject());

        assertThat(AdapterMethods.settle(adapter, SPEC, CONTEXT)).isSameAs(adapter);
    }

    private static Map<String, HostTensor> moved(Map<String, HostTensor> start) {
        Map<String, HostTensor> moved = new LinkedHashMap<>();
        start.forEach((name, value) -> {
            float[] values = CounterRandom.of(CounterRandom.key(8, name))
                    .normal(value.shape(), 0.3)
                    .values();
            for (int i = 0; i < values.length; i++) {
                values[i] += value.values()[i];
            }
            moved.put(name, HostTensor.of(value.shape(), values));
        });
        return moved;
    }

    /** The scaled products of all low-rank matrices of linear layers, one after another. */
    private static double[] delta(AdapterPlan plan, Map<String, HostTensor> values) {
        try (Session session = Session.open(ReferenceBackend.exact())) {
            Map<String, Tensor> tensors = new HashMap<>();
            values.forEach((name, value) -> tensors.put(name, session.tensor(value)));
            Map<String, Tensor> effective = plan.derive(tensors, CONTEXT);
            return IntStream.range(0, 2)
                    .mapToObj(i -> i == 0 ? Q : DOWN)
                    .map(site -> effective.get(site + "lora_B.weight").matmul(effective.get(site + "lora_A.weight")))
                    .flatMapToDouble(product -> java.util.Arrays.stream(product.toDoubles()))
                    .toArray();
        }
    }
}
