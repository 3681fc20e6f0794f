package io.peftj.djl.contract;

import static io.peftj.djl.contract.ModuleNames.named;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.run.ActiveAdapter;
import io.peftj.core.run.Batch;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.run.Row;
import io.peftj.core.run.Run;
import io.peftj.core.run.Stack;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import io.peftj.core.site.Sublayer;
import io.peftj.core.tensor.Activation;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Matrix;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import io.peftj.methods.bitfit.BitFitConfig;
import io.peftj.methods.bottleneck.BottleneckConfig;
import io.peftj.methods.bottleneck.Placement;
import io.peftj.methods.head.HeadConfig;
import io.peftj.methods.lora.LoraConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What bottlenecks compute, and where in a layer they do. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SublayerTest {
    private static final int[] TOKENS = {3, 14, 15, 9, 2, 6};
    private static final int LAYER = 1;

    private List<BackboneModel> models = List.of();

    @BeforeAll
    void open() {
        models = Stream.of(TestBackends.EXACT, TestBackends.ENGINE)
                .flatMap(backend -> Stream.of(
                        TinyBackbones.llama(backend, DType.F32),
                        TinyBackbones.qwen3(backend, DType.F32),
                        TinyBackbones.gpt2(backend, DType.F32),
                        TinyBackbones.bert(backend, DType.F32),
                        TinyBackbones.roberta(backend, DType.F32)))
                .toList();
    }

    @AfterAll
    void close() {
        models.forEach(BackboneModel::close);
    }

    List<BackboneModel> models() {
        return models;
    }

    /** Rows of the base, of two adapters of different widths and scales, and of both together. */
    @ParameterizedTest
    @EnumSource
    void aBottleneckAddsWhatItsPaperSays(Placement placement) {
        for (BackboneModel model : models) {
            BottleneckConfig.Builder config = BottleneckConfig.builder(placement);
            TestAdapter a = TestAdapter.random("a", config.rank(3).scale(0.5).build(), model.spec());
            TestAdapter b = TestAdapter.random("b", config.rank(5).scale(2).build(), model.spec());
            int width = model.spec().width();
            List<List<TestAdapter>> stacks = List.of(List.of(a), List.of(), List.of(a, b), List.of(b));
            HostTensor z = random("z", Shape.of(stacks.size() * TOKENS.length, width));
            HostTensor x = random("x", z.shape());

            double[] found = sublayer(model, stacks, x, z);

            List<Formula> formulas = List.of(new Formula(placement, 0.5, a), new Formula(placement, 2, b));
            for (int token = 0; token < z.shape().dim(0); token++) {
                double[] y = row(z, token);
                for (TestAdapter adapter : stacks.get(token / TOKENS.length)) {
                    y = formulas.get(adapter.equals(a) ? 0 : 1).after(row(x, token), y);
                }
                double[] ofToken = Arrays.copyOfRange(found, token * width, (token + 1) * width);
                if (stacks.get(token / TOKENS.length).isEmpty()) {
                    assertThat(ofToken).isEqualTo(y);
                } else {
                    assertThat(ofToken).containsExactly(y, within(model.isExact() ? 1e-12 : 1e-5));
                }
            }
        }
    }

    /** z + s·(U f(D v + b) + c) with v = z in series and v = x in parallel, by hand. */
    private record Formula(Placement placement, double scale, TestAdapter adapter) {
        double[] after(double[] x, double[] z) {
            double[] read = placement == Placement.PARALLEL ? x : z;
            DoubleUnaryOperator f = placement == Placement.HOULSBY ? v -> v / (1 + Math.exp(-v)) : v -> Math.max(v, 0);
            double[] low = Arrays.stream(layer("down", read)).map(f).toArray();
            double[] high = layer("up", low);
            double[] sum = z.clone();
            Arrays.setAll(sum, i -> z[i] + scale * high[i]);
            return sum;
        }

        private double[] layer(String part, double[] v) {
            float[] weight = value(part + ".weight");
            float[] bias = value(part + ".bias");
            double[] out = new double[bias.length];
            for (int i = 0; i < out.length; i++) {
                out[i] = bias[i];
                for (int j = 0; j < v.length; j++) {
                    out[i] += weight[i * v.length + j] * v[j];
                }
            }
            return out;
        }

        private float[] value(String part) {
            return adapter.values().get("layers." + LAYER + ".mlp." + part).values();
        }
    }

    /** The rows stand in the callers' order in what goes in and comes out. */
    private static double[] sublayer(BackboneModel model, List<List<TestAdapter>> stacks, HostTensor x, HostTensor z) {
        return model.base().call("sublayer", session -> {
            Map<TestAdapter, ResidentAdapter> residents = new LinkedHashMap<>();
            stacks.forEach(stack ->
                    stack.forEach(adapter -> residents.computeIfAbsent(adapter, each -> each.resident(model))));
            Map<TestAdapter, ActiveAdapter> active = new LinkedHashMap<>();
            residents.forEach((adapter, resident) -> active.put(adapter, resident.in(session)));
            List<Row> rows = stacks.stream()
                    .map(stack ->
                            Row.of(new Stack(stack.stream().map(active::get).toList()), 0, TOKENS))
                    .toList();
            Batch batch = Batch.of(session, model.spec(), rows);
            List<Tensor> y = new Run(session, batch, null)
                    .sublayer(
                            LAYER,
                            Sublayer.FEED_FORWARD,
                            session.tensor(inOrder(batch, x)),
                            session.tensor(inOrder(batch, z)))
                    .split(
                            0,
                            Stream.generate(() -> TOKENS.length)
                                    .limit(rows.size())
                                    .mapToInt(Integer::intValue)
                                    .toArray());
            double[] found = batch.inCallersOrder(y).stream()
                    .flatMapToDouble(row -> Arrays.stream(row.toDoubles()))
                    .toArray();
            residents.values().forEach(ResidentAdapter::close);
            return found;
        });
    }

    private static HostTensor inOrder(Batch batch, HostTensor rows) {
        float[] sorted = new float[rows.values().length];
        int size = sorted.length / batch.rows().size();
        for (int row = 0; row < batch.rows().size(); row++) {
            System.arraycopy(rows.values(), batch.callersRow(row) * size, sorted, row * size, size);
        }
        return HostTensor.of(rows.shape(), sorted);
    }

    private static double[] row(HostTensor tensor, int row) {
        int width = tensor.shape().dim(1);
        double[] values = new double[width];
        Arrays.setAll(values, i -> tensor.values()[row * width + i]);
        return values;
    }

    /**
     * M(Wx + b) − Mb = MWx: with D = [1; −1], U = [M, −M] and c = −Mb a bottleneck of ReLUs is LoRA with A = W and B = M at the layer that ends the
     * sublayer, if it stands before the residual and any norm.
     */
    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("models")
    void aLinearBottleneckInSeriesActsLikeLoraAtTheOutputLayer(BackboneModel model) {
        int width = model.spec().width();
        BottleneckConfig config = BottleneckConfig.builder(Placement.HOULSBY)
                .rank(2 * width)
                .activation(Activation.RELU)
                .build();
        Map<String, HostTensor> series = new LinkedHashMap<>();
        Map<String, HostTensor> lowRank = new LinkedHashMap<>();
        for (Role role : List.of(Role.ATTENTION_OUTPUT, Role.DOWN)) {
            for (Site site : model.spec().sites(role)) {
                Matrix m = Matrix.of(random(site.name(), Shape.of(width, width)));
                String part = "layers." + site.layer() + (role == Role.DOWN ? ".mlp." : ".attn.");
                Matrix identity = identity(width);
                series.put(
                        part + "down.weight", identity.above(identity.times(-1)).toHost());
                series.put(part + "up.weight", m.beside(m.times(-1)).toHost());
                if (site.bias()) {
                    Matrix b = Matrix.of(width, 1, row(bias(model, site), 0));
                    series.put(
                            part + "up.bias",
                            HostTensor.of(
                                    Shape.of(width),
                                    m.times(b).times(-1).toHost().values()));
                }
                lowRank.put(lora(site, "A"), model.parameter(site.weightName()).orElseThrow());
                lowRank.put(lora(site, "B"), m.toHost());
            }
        }
        LoraConfig lora = lora(width, named(model.spec(), Role.ATTENTION_OUTPUT, Role.DOWN));

        assertSame(model, List.of(resident(model, config, series)), List.of(resident(model, lora, lowRank)));
    }

    private static HostTensor bias(BackboneModel model, Site site) {
        HostTensor bias = model.parameter(site.biasName()).orElseThrow();
        return HostTensor.of(Shape.of(1, site.out()), bias.values());
    }

    /**
     * A bottleneck with the network's own matrices and nonlinearity adds W_down f(W_up x + b): LoRA with A = W_down and B = 1 at the narrowing layer, if
     * both read the same x. LLaMA's network is made one without a gate: where the up projection gives 1 for all, f(W_gate x) is left.
     */
    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("models")
    void aBottleneckBesideANetworkLikeItActsLikeLoraAtItsOutputLayer(BackboneModel model) {
        int width = model.spec().width();
        boolean gated = !model.spec().sites(Role.GATE).isEmpty();
        List<Site> first = model.spec().sites(gated ? Role.GATE : Role.UP);
        List<Site> last = model.spec().sites(Role.DOWN);
        Map<String, HostTensor> parallel = new LinkedHashMap<>();
        Map<String, HostTensor> lowRank = new LinkedHashMap<>();
        for (int l = 0; l < last.size(); l++) {
            HostTensor down = model.parameter(last.get(l).weightName()).orElseThrow();
            String part = "layers." + l + ".mlp.";
            parallel.put(
                    part + "down.weight",
                    model.parameter(first.get(l).weightName()).orElseThrow());
            model.parameter(first.get(l).biasName()).ifPresent(bias -> parallel.put(part + "down.bias", bias));
            parallel.put(part + "up.weight", down);
            lowRank.put(lora(last.get(l), "A"), down);
            lowRank.put(lora(last.get(l), "B"), identity(width).toHost());
        }
        Activation activation =
                gated ? Activation.SILU : model.spec().decoder() ? Activation.GELU_TANH : Activation.GELU;
        BottleneckConfig config = BottleneckConfig.builder(Placement.PARALLEL)
                .rank(first.get(0).out())
                .activation(activation)
                .scale(1)
                .build();
        List<ResidentAdapter> beside = new ArrayList<>(gated ? withoutGate(model) : List.of());
        List<ResidentAdapter> inside = new ArrayList<>(gated ? withoutGate(model) : List.of());
        beside.add(resident(model, config, parallel));
        inside.add(resident(model, lora(width, named(model.spec(), Role.DOWN)), lowRank));

        assertSame(model, beside, inside);
    }

    /** The up projection multiplied by nothing, with ones for a bias. */
    private static List<ResidentAdapter> withoutGate(BackboneModel model) {
        Map<String, HostTensor> ones = new LinkedHashMap<>();
        for (Site site : model.spec().sites(Role.UP)) {
            ones.put("base_model.model." + site.biasName(), HostTensor.filled(Shape.of(site.out()), 1));
        }
        return List.of(
                resident(model, new HeadConfig(List.of("up_proj"), null), Map.of()),
                resident(model, new BitFitConfig(List.of(), null), ones));
    }

    private static LoraConfig lora(int rank, String... targets) {
        return LoraConfig.builder().rank(rank).alpha(rank).targets(targets).build();
    }

    private static String lora(Site site, String matrix) {
        return "base_model.model." + site.name() + ".lora_" + matrix + ".weight";
    }

    private static Matrix identity(int size) {
        double[] values = new double[size * size];
        for (int i = 0; i < size; i++) {
            values[i * size + i] = 1;
        }
        return Matrix.of(size, size, values);
    }

    private static HostTensor random(String name, Shape shape) {
        return CounterRandom.of(CounterRandom.key(4, name)).normal(shape, 0.3);
    }

    /** An adapter with zeros for what is not given. */
    private static ResidentAdapter resident(BackboneModel model, AdapterConfig config, Map<String, HostTensor> given) {
        AdapterPlan plan = TestAdapter.random("adapter", config, model.spec()).plan();
        Map<String, HostTensor> values = new LinkedHashMap<>(given);
        for (ParameterSpec parameter : plan.stored()) {
            values.putIfAbsent(parameter.name(), HostTensor.filled(parameter.shape(), 0));
        }
        assertThat(values).hasSameSizeAs(plan.stored());
        return ResidentAdapter.load(model, config.toString(), plan, values);
    }

    private static void assertSame(BackboneModel model, List<ResidentAdapter> one, List<ResidentAdapter> other) {
        double[] found = logits(model, one);
        double[] expected = logits(model, other);
        double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
        Function<double[], Double> away = from -> {
            double sum = 0;
            for (int i = 0; i < from.length; i++) {
                sum = Math.max(sum, Math.abs(from[i] - expected[i]));
            }
            return sum / largest;
        };

        assertThat(away.apply(found)).isLessThan(1e-5);
        assertThat(away.apply(logits(model, one.subList(0, one.size() - 1)))).isGreaterThan(1e-2);
        one.forEach(ResidentAdapter::close);
        other.forEach(ResidentAdapter::close);
    }

    private static double[] logits(BackboneModel model, List<ResidentAdapter> adapters) {
        return model.base().call("logits", session -> {
            List<ActiveAdapter> stack =
                    adapters.stream().map(adapter -> adapter.in(session)).toList();
            Batch batch = Batch.of(session, model.spec(), List.of(Row.of(new Stack(stack), 0, TOKENS)));
            return model.logits(new Run(session, batch, null)).get(0).toDoubles();
        });
    }
}
