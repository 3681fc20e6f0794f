package io.peftj.methods.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.Contribution.Delta;
import io.peftj.core.adapter.Contribution.DeltaInput;
import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Dropout;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.LinearAlgebra;
import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import io.peftj.methods.TestContext;
import io.peftj.methods.TinyModels;
import io.peftj.testkit.reference.ReferenceBackend;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DoraTest {
    private static final String SITE = "base_model.model.model.layers.0.self_attn.q_proj.";
    private static final String A = SITE + "lora_A.weight";
    private static final String B = SITE + "lora_B.weight";
    private static final String MAGNITUDE = SITE + "lora_magnitude_vector";
    private static final HostTensor W = random("w", Shape.of(8, 8));
    private static final HostTensor X = random("x", Shape.of(5, 8));

    private final Backend backend = ReferenceBackend.exact();
    private final Weight weight = backend.weight(W, DType.F32);

    @AfterEach
    void free() {
        backend.free(weight);
        assertThat(backend.memory().liveBytes()).isZero();
    }

    private static HostTensor random(String name, Shape shape) {
        return CounterRandom.of(CounterRandom.key(5, name)).normal(shape, 1);
    }

    private static LoraConfig.Builder config() {
        return LoraConfig.builder().rank(2).alpha(6).dora(true).targets("q_proj");
    }

    private static AdapterPlan plan(LoraConfig.Builder config) {
        return new LoraMethod().plan(TinyModels.llama(1), config.build());
    }

    @Test
    void theMagnitudeStartsAsTheRowsLengths() {
        TestContext context = new TestContext(Map.of("model.layers.0.self_attn.q_proj.weight", W));

        Map<String, HostTensor> zero = plan(config()).initialise(context);
        Map<String, HostTensor> random = plan(config().init(LoraInit.RANDOM)).initialise(context);

        assertThat(zero.keySet()).containsExactly(A, B, MAGNITUDE);
        assertLengths(zero);
        assertLengths(random);
        assertThat(random.get(MAGNITUDE).values())
                .isNotEqualTo(zero.get(MAGNITUDE).values());
    }

    private static void assertLengths(Map<String, HostTensor> values) {
        double[][] sum = sum(values, 3);
        for (int row = 0; row < 8; row++) {
            assertThat((double) values.get(MAGNITUDE).values()[row]).isCloseTo(length(sum[row]), within(1e-6));
        }
    }

    @Test
    void everyRowOfTheProductGetsItsMagnitude() {
        Map<String, HostTensor> values = values();
        double[][] sum = sum(values, 3);

        double[] found = output(plan(config()), values, null);

        for (int i = 0; i < found.length; i++) {
            int row = i % 8;
            double c = values.get(MAGNITUDE).values()[row] / length(sum[row]);
            assertThat(found[i]).isCloseTo(c * dot(sum[row], X.values(), i / 8), within(1e-5));
        }
    }

    /** y = Wx + (c − 1)·Wx' + c·s·BAx', x' = dropout(x). */
    @Test
    void dropoutActsOnTheInputOfAllButTheFrozenProduct() {
        Map<String, HostTensor> values = values();
        double[][] sum = sum(values, 3);
        double[][] w = rows(W);
        double[] dropped = inSession(session -> x(session).dropout(dropout(session)));
        float[] kept = new float[dropped.length];
        for (int i = 0; i < kept.length; i++) {
            kept[i] = (float) dropped[i];
        }
        assertThat(kept).contains(0);

        double[] found = output(plan(config().dropout(0.5)), values, "dropout");

        for (int i = 0; i < found.length; i++) {
            int row = i % 8;
            double c = values.get(MAGNITUDE).values()[row] / length(sum[row]);
            double expected =
                    dot(w[row], X.values(), i / 8) - dot(w[row], kept, i / 8) + c * dot(sum[row], kept, i / 8);
            assertThat(found[i]).isCloseTo(expected, within(1e-5));
        }
    }

    @Test
    void rowsOfZerosStayZeros() {
        HostTensor zeros = HostTensor.filled(Shape.of(8, 8), 0);
        Weight nothing = backend.weight(zeros, DType.F32);
        TestContext context = new TestContext(Map.of("model.layers.0.self_attn.q_proj.weight", zeros));
        Map<String, HostTensor> values = plan(config()).initialise(context);

        try (Session session = Session.open(backend)) {
            Map<String, Tensor> effective =
                    plan(config()).derive(tensors(session, values), new Surroundings(nothing, zeros));

            assertThat(effective.get(B).toDoubles()).containsOnly(0);
            assertThat(effective.get(MAGNITUDE).toDoubles()).containsOnly(-1);
        }
        backend.free(nothing);
    }

    @Test
    void tokenEmbeddingsAreRefused() {
        assertThatThrownBy(() -> plan(config().targets("embed_tokens")))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining(
                        "use_dora: target_modules match the token embeddings \"model.embed_tokens\", on which DoRA is not");
    }

    // ---- running the formula ----

    private double[] output(AdapterPlan plan, Map<String, HostTensor> values, @Nullable String dropout) {
        Delta delta = (Delta) plan.contributions().get(0);
        return inSession(session -> {
            Map<String, Tensor> effective = plan.derive(tensors(session, values), new Surroundings(weight, W));
            List<Tensor> parameters =
                    delta.parameters().stream().map(effective::get).toList();
            Tensor x = x(session);
            Tensor y = x.linear(weight, null);
            return y.plus(
                    delta.formula().apply(new Input(x, weight, parameters, dropout == null ? null : dropout(session))));
        });
    }

    private static Tensor x(Session session) {
        return session.tensor(X);
    }

    private static Dropout dropout(Session session) {
        long[] half = new long[5];
        Arrays.fill(half, Dropout.threshold(0.5));
        return new Dropout(session.index(1, 2, 3, 4, 5), session.index(half), 9);
    }

    private double[] inSession(java.util.function.Function<Session, Tensor> body) {
        try (Session session = Session.open(backend)) {
            return body.apply(session).toDoubles();
        }
    }

    private static Map<String, HostTensor> values() {
        Map<String, HostTensor> values = new LinkedHashMap<>();
        plan(config()).stored().forEach(p -> values.put(p.name(), random(p.name(), p.shape())));
        return values;
    }

    private static Map<String, Tensor> tensors(Session session, Map<String, HostTensor> values) {
        Map<String, Tensor> tensors = new HashMap<>();
        values.forEach((name, value) -> tensors.put(name, session.tensor(value)));
        return tensors;
    }

    private record Input(
            Tensor x,
            Weight weight,
            List<Tensor> parameters,
            @Nullable Dropout dropout) implements DeltaInput {
        @Override
        public Tensor product(Tensor input) {
            return input.linear(weight, null);
        }

        @Override
        public Tensor parameter(int number) {
            return parameters.get(number);
        }

        @Override
        public @Nullable Segments segments() {
            return null;
        }
    }

    private record Surroundings(Weight weight, HostTensor values) implements DeriveContext {
        @Override
        public Weight weight(String parameter) {
            return weight;
        }

        @Override
        public boolean hasBase(String parameter) {
            return true;
        }

        @Override
        public HostTensor base(String parameter) {
            return values;
        }

        @Override
        public LinearAlgebra linearAlgebra() {
            return ReferenceBackend.exact().linearAlgebra();
        }

        @Override
        public HostTensor once(String name, Supplier<HostTensor> make) {
            return make.get();
        }

        @Override
        public Tensor constant(String name, Tensor value) {
            return value.detach();
        }
    }

    // ---- plain arithmetic ----

    /** W + s·BA. */
    private static double[][] sum(Map<String, HostTensor> values, double scale) {
        double[][] sum = rows(W);
        for (int row = 0; row < 8; row++) {
            for (int column = 0; column < 8; column++) {
                for (int r = 0; r < 2; r++) {
                    double b = values.get(B).values()[row * 2 + r];
                    sum[row][column] += scale * b * values.get(A).values()[r * 8 + column];
                }
            }
        }
        return sum;
    }

    private static double[][] rows(HostTensor matrix) {
        double[][] rows = new double[8][8];
        for (int i = 0; i < 64; i++) {
            rows[i / 8][i % 8] = matrix.values()[i];
        }
        return rows;
    }

    private static double length(double[] row) {
        return Math.sqrt(Arrays.stream(row).map(v -> v * v).sum());
    }

    private static double dot(double[] row, float[] inputs, int place) {
        double dot = 0;
        for (int i = 0; i < 8; i++) {
            dot += row[i] * inputs[place * 8 + i];
        }
        return dot;
    }
}
