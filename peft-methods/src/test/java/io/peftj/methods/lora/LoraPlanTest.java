package io.peftj.methods.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.Contribution.Delta;
import io.peftj.core.adapter.Contribution.DeltaInput;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Dropout;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import io.peftj.methods.TestContext;
import io.peftj.methods.TinyModels;
import io.peftj.testkit.reference.ReferenceBackend;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LoraPlanTest {
    private static final String A = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight";
    private static final String B = "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight";

    private static AdapterPlan plan(LoraConfig.Builder builder) {
        return new LoraMethod()
                .plan(TinyModels.llama(1), builder.targets("q_proj").build());
    }

    @Test
    void adaptersStartAsIdentities() {
        Map<String, HostTensor> values = plan(LoraConfig.builder().rank(2)).initialise(TestContext.EMPTY);

        float bound = (float) (1 / Math.sqrt(8));
        assertThat(values.get(A).values()).hasSize(16).doesNotHaveDuplicates();
        for (float value : values.get(A).values()) {
            assertThat(value).isBetween(-bound, bound);
        }
        assertThat(values.get(B).values()).hasSize(16).containsOnly(0);
    }

    @Test
    void initialValuesDependOnSeedAndNameAlone() {
        AdapterPlan alone = plan(LoraConfig.builder().rank(2));
        AdapterPlan among = new LoraMethod()
                .plan(TinyModels.llama(1), LoraConfig.builder().rank(2).build());

        assertThat(among.initialise(TestContext.EMPTY).get(A).values())
                .containsExactly(alone.initialise(TestContext.EMPTY).get(A).values());
    }

    @Test
    void aRandomDeltaIsToBeAskedFor() {
        assertThat(plan(LoraConfig.builder().init(LoraInit.RANDOM))
                        .initialise(TestContext.EMPTY)
                        .get(B)
                        .values())
                .doesNotContain(0);
    }

    @Test
    void theScaleStandsInB() {
        assertThat(scale(LoraConfig.builder().rank(4).alpha(8))).isEqualTo(2);
        assertThat(scale(LoraConfig.builder().rank(4).alpha(8).rankStabilised(true)))
                .isEqualTo(4);
        assertThat(scale(LoraConfig.builder().rank(4).alpha(8).rankPattern(Map.of("q_proj", 1))))
                .isEqualTo(8);
        assertThat(scale(LoraConfig.builder().rank(4).alpha(8).alphaPattern(Map.of("q_proj", 2.0))))
                .isEqualTo(0.5);
    }

    private static double scale(LoraConfig.Builder builder) {
        AdapterPlan plan = plan(builder);
        try (Session session = Session.open(ReferenceBackend.exact())) {
            Map<String, Tensor> stored = new HashMap<>();
            plan.stored().forEach(p -> stored.put(p.name(), session.tensor(HostTensor.filled(p.shape(), 1))));
            Map<String, Tensor> effective = plan.derive(stored, TestContext.EMPTY);
            assertThat(effective.get(A).toDoubles()).containsOnly(1);
            return effective.get(B).toDoubles()[0];
        }
    }

    @Test
    void theDeltaIsTheProductOfTheMatrices() {
        Delta delta = (Delta)
                plan(LoraConfig.builder().rank(2).dropout(0.25)).contributions().get(0);
        try (Session session = Session.open(ReferenceBackend.exact())) {
            Tensor a = session.tensor(HostTensor.of(Shape.of(2, 3), 1, 2, 3, 4, 5, 6));
            Tensor b = session.tensor(HostTensor.of(Shape.of(2, 2), 1, -1, 2, 0));
            Tensor x = session.tensor(HostTensor.of(Shape.of(1, 3), 1, 0, -1));

            double[] matrix = delta.formula()
                    .change(List.of(a, b), session.zeros(Shape.of(2, 3), DType.F32))
                    .toDoubles();
            double[] applied =
                    delta.formula().apply(new Input(x, List.of(a, b))).toDoubles();

            assertThat(matrix).containsExactly(new double[] {-3, -3, -3, 2, 4, 6}, within(1e-9));
            assertThat(applied).containsExactly(new double[] {0, -4}, within(1e-9));
        }
        assertThat(delta.parameters()).containsExactly(A, B);
        assertThat(delta.dropout()).isEqualTo(0.25);
        assertThat(delta.formula().paddedAxis(0)).isEqualTo(0);
        assertThat(delta.formula().paddedAxis(1)).isEqualTo(1);
    }

    @Test
    void allAdaptersShareOneFormulaSoThatTheyAreComputedTogether() {
        Delta one = (Delta) plan(LoraConfig.builder().rank(2)).contributions().get(0);
        Delta other = (Delta) plan(LoraConfig.builder().rank(3)).contributions().get(0);

        assertThat(one.formula()).isSameAs(other.formula());
    }

    private record Input(Tensor x, List<Tensor> parameters) implements DeltaInput {
        @Override
        public Tensor product(Tensor input) {
            throw new UnsupportedOperationException("there is no frozen matrix");
        }

        @Override
        public Tensor parameter(int number) {
            return parameters.get(number);
        }

        @Override
        public @Nullable Segments segments() {
            return null;
        }

        @Override
        public @Nullable Dropout dropout() {
            return null;
        }
    }
}
