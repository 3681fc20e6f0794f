package io.peftj.djl.diagnose;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.Contribution.KeyValues;
import io.peftj.core.run.Batch;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.run.Row;
import io.peftj.core.run.Run;
import io.peftj.core.run.Stack;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Backbones;
import io.peftj.djl.engine.EngineOptions;
import io.peftj.djl.engine.TorchBackend;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.methods.prefix.PrefixConfig;
import io.peftj.methods.prompt.PromptConfig;
import io.peftj.testkit.TinyModels;
import io.peftj.testkit.reference.ReferenceBackend;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PrefixDiagnosisTest {
    private static final List<int[]> ROWS = List.of(new int[] {3, 14, 15, 9, 2, 6}, new int[] {5, 8, 7});
    private static final int TOKENS = 9;

    @TempDir
    private Path folder;

    static Stream<AdapterConfig> befores() {
        return Stream.of(
                PrefixConfig.builder().virtualTokens(3).build(),
                PromptConfig.builder().virtualTokens(3).build());
    }

    private static ResidentAdapter random(Backbone base, AdapterConfig config) {
        AdapterPlan plan = AdapterMethods.plan(base.spec(), AdapterMethods.complete(base.spec(), config));
        Map<String, HostTensor> values = new LinkedHashMap<>();
        plan.stored()
                .forEach(parameter -> values.put(
                        parameter.name(),
                        CounterRandom.of(CounterRandom.key(4, parameter.name())).normal(parameter.shape(), 1)));
        return ResidentAdapter.load(base, "random", plan, values);
    }

    private static PrefixDiagnosis diagnose(Backbone base, AdapterConfig config) {
        try (ResidentAdapter adapter = random(base, config)) {
            return PrefixDiagnosis.of(base, adapter, ROWS, () -> false);
        }
    }

    /** As the theory says, on a decoder and an encoder; and what is measured is the model's own, not another's. */
    @ParameterizedTest
    @MethodSource("befores")
    void attentionAmongTheRowsTokensKeepsItsProportions(AdapterConfig config) {
        try (Backend exact = ReferenceBackend.exact();
                Backbone decoder = Backbones.load(TinyModels.llama(folder.resolve("llama"), 1), exact, DType.F32);
                Backbone encoder = Backbones.load(TinyModels.bert(folder.resolve("bert"), 1), exact, DType.F32)) {
            for (Backbone base : List.of(decoder, encoder)) {
                PrefixDiagnosis found = diagnose(base, config);

                assertThat(found.rows()).isEqualTo(2);
                assertThat(found.tokens()).isEqualTo(TOKENS);
                assertThat(found.layers()).hasSize(base.spec().layers()).allSatisfy(layer -> {
                    assertThat(layer.deviation()).isLessThan(1e-14);
                    assertThat(layer.outputError()).isLessThan(1e-12);
                    assertThat(layer.share()).isBetween(0.01, 0.99);
                    assertThat(layer.largestShare()).isBetween(layer.share(), 1.0);
                    assertThat(layer.biasSize()).isPositive();
                    assertThat(layer.biasAlignment()).isBetween(0.0, 1 + 1e-12);
                    assertThat(Math.abs(layer.biasCosine())).isBetween(1e-6, 1 + 1e-12);
                });
                assertThat(found.layers().get(1).drift()).isPositive();
                assertThat(found.outputDrift()).isPositive();
            }
        }
    }

    /** The first layer of a GPT-2, where the arithmetic fits a page: no rotation of queries and keys. */
    @Test
    void aFirstLayersFiguresAreThoseComputedByHand() {
        int width = 16;
        int heads = 4;
        int headDim = 4;
        int length = 3;
        try (Backend exact = ReferenceBackend.exact();
                Backbone base = Backbones.load(TinyModels.gpt2(folder.resolve("gpt2"), 1), exact, DType.F32);
                ResidentAdapter adapter = random(
                        base, PrefixConfig.builder().virtualTokens(length).build())) {
            int[] ids = {3, 7};
            double[] embeddings = doubles(base, "transformer.wte.weight");
            double[] positions = doubles(base, "transformer.wpe.weight");
            double[] matrix = doubles(base, "transformer.h.0.attn.c_attn.weight"); // [3d, d]
            double[] bias = doubles(base, "transformer.h.0.attn.c_attn.bias");
            double[][] qkv = new double[2][];
            for (int token = 0; token < 2; token++) {
                double[] x = new double[width];
                for (int i = 0; i < width; i++) {
                    x[i] = embeddings[ids[token] * width + i] + positions[(length + token) * width + i];
                }
                double[] normed = layerNorm(
                        x, doubles(base, "transformer.h.0.ln_1.weight"), doubles(base, "transformer.h.0.ln_1.bias"));
                qkv[token] = new double[3 * width];
                for (int o = 0; o < 3 * width; o++) {
                    qkv[token][o] = bias[o];
                    for (int i = 0; i < width; i++) {
                        qkv[token][o] += matrix[o * width + i] * normed[i];
                    }
                }
            }
            double[] keys = first(base, adapter, KeyValues::keys); // [length, heads, head dim]
            double[] values = first(base, adapter, KeyValues::values);
            double share = 0;
            double cosine = 0;
            for (int token = 0; token < 2; token++) {
                double[] added = new double[width];
                double[] own = new double[width];
                for (int head = 0; head < heads; head++) {
                    double before = 0;
                    double among = 0;
                    int at = head * headDim;
                    for (int key = 0; key < length; key++) {
                        int from = (key * heads + head) * headDim;
                        double weight = Math.exp(dot(qkv[token], at, keys, from, headDim) / 2);
                        before += weight;
                        addTo(added, at, weight, values, from, headDim);
                    }
                    for (int key = 0; key <= token; key++) {
                        double weight = Math.exp(dot(qkv[token], at, qkv[key], width + at, headDim) / 2);
                        among += weight;
                        addTo(own, at, weight, qkv[key], 2 * width + at, headDim);
                    }
                    share += before / (before + among) / heads / 2;
                    for (int i = at; i < at + headDim; i++) {
                        added[i] /= before + among;
                        own[i] /= among;
                    }
                }
                double lengths = Math.sqrt(dot(added, 0, added, 0, width) * dot(own, 0, own, 0, width));
                cosine += dot(added, 0, own, 0, width) / lengths / 2;
            }

            PrefixDiagnosis found = PrefixDiagnosis.of(base, adapter, List.of(ids), () -> false);

            assertThat(found.layers().get(0).share()).isCloseTo(share, within(1e-9));
            assertThat(found.layers().get(0).biasCosine()).isCloseTo(cosine, within(1e-9));
        }
    }

    private static void addTo(double[] sum, int to, double weight, double[] vector, int from, int count) {
        for (int i = 0; i < count; i++) {
            sum[to + i] += weight * vector[from + i];
        }
    }

    private static double[] first(Backbone base, ResidentAdapter adapter, Function<KeyValues, String> which) {
        String name = adapter.plan().plan().contributions().stream()
                .filter(KeyValues.class::isInstance)
                .map(KeyValues.class::cast)
                .filter(each -> each.layer() == 0)
                .map(which)
                .findFirst()
                .orElseThrow();
        return base.call(
                "prefix", session -> adapter.in(session).effective().get(name).toDoubles());
    }

    private static double dot(double[] a, int fromA, double[] b, int fromB, int count) {
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += a[fromA + i] * b[fromB + i];
        }
        return sum;
    }

    private static double[] layerNorm(double[] x, double[] weight, double[] bias) {
        double mean = Arrays.stream(x).average().orElseThrow();
        double variance =
                Arrays.stream(x).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
        double[] y = new double[x.length];
        Arrays.setAll(y, i -> (x[i] - mean) / Math.sqrt(variance + 1e-5) * weight[i] + bias[i]);
        return y;
    }

    private static double[] doubles(Backbone base, String name) {
        float[] values = base.parameter(name).orElseThrow().values();
        double[] all = new double[values.length];
        Arrays.setAll(all, i -> values[i]);
        return all;
    }

    /** Of the states behind the last layer: what two ordinary forward passes differ by. */
    @Test
    void driftIsTheDistanceOfTwoForwardPasses() {
        try (Backend exact = ReferenceBackend.exact();
                Backbone base = Backbones.load(TinyModels.llama(folder.resolve("llama"), 1), exact, DType.F32);
                ResidentAdapter adapter =
                        random(base, PrefixConfig.builder().virtualTokens(3).build())) {
            double[] bare = states(base, null, ROWS.get(0));
            double[] adapted = states(base, adapter, ROWS.get(0));
            int width = base.spec().width();
            double drift = 0;
            for (int token = 0; token < 6; token++) {
                double[] difference = new double[width];
                int from = token * width;
                Arrays.setAll(difference, i -> adapted[from + i] - bare[from + i]);
                drift += Math.sqrt(dot(difference, 0, difference, 0, width) / dot(bare, from, bare, from, width)) / 6;
            }

            PrefixDiagnosis found = PrefixDiagnosis.of(base, adapter, ROWS.subList(0, 1), () -> false);

            assertThat(found.outputDrift()).isCloseTo(drift, within(1e-9));
            assertThat(found.layers().get(0).drift()).isZero(); // embeddings know no prefix
        }
    }

    private static double[] states(Backbone base, @Nullable ResidentAdapter adapter, int... ids) {
        return base.call("states", session -> {
            Stack stack = adapter == null ? Stack.BASE : Stack.of(adapter.in(session));
            Batch batch = Batch.of(session, base.spec(), List.of(Row.of(stack, 0, ids)));
            return base.transformer()
                    .hiddenStates(new Run(session, batch, null))
                    .toDoubles();
        });
    }

    /** In single precision on libtorch the same figures come out, and nothing is left in memory. */
    @ParameterizedTest
    @MethodSource("befores")
    void theEngineGivesTheReferencesFigures(AdapterConfig config) {
        Path model = TinyModels.llama(folder.resolve("llama"), 1);
        try (Backend exact = ReferenceBackend.exact();
                Backend engine = TorchBackend.open(EngineOptions.defaults().withThreads(1));
                Backbone reference = Backbones.load(model, exact, DType.F32)) {
            PrefixDiagnosis expected = diagnose(reference, config);
            try (Backbone base = Backbones.load(model, engine, DType.F32)) {
                long live = engine.memory().liveBytes();

                PrefixDiagnosis found = diagnose(base, config);

                for (int layer = 0; layer < expected.layers().size(); layer++) {
                    PrefixDiagnosis.Layer here = found.layers().get(layer);
                    PrefixDiagnosis.Layer there = expected.layers().get(layer);
                    assertThat(here.deviation()).isLessThan(1e-14);
                    assertThat(here.outputError()).isLessThan(1e-5);
                    assertThat(here.share()).isCloseTo(there.share(), within(1e-5));
                    assertThat(here.biasSize()).isCloseTo(there.biasSize(), within(1e-4));
                    assertThat(here.biasAlignment()).isCloseTo(there.biasAlignment(), within(1e-4));
                    assertThat(here.biasCosine()).isCloseTo(there.biasCosine(), within(1e-4));
                    assertThat(here.drift()).isCloseTo(there.drift(), within(1e-4));
                }
                assertThat(engine.memory().liveBytes()).isEqualTo(live);
            }
        }
    }

    @Test
    void otherAdaptersAreRefused() {
        try (Backend exact = ReferenceBackend.exact();
                Backbone base = Backbones.load(TinyModels.llama(folder.resolve("llama"), 1), exact, DType.F32);
                ResidentAdapter lora = random(base, LoraConfig.builder().rank(2).build());
                ResidentAdapter prefix =
                        random(base, PrefixConfig.builder().virtualTokens(3).build())) {
            assertThatThrownBy(() -> PrefixDiagnosis.of(base, lora, ROWS, () -> false))
                    .isInstanceOf(InvalidConfigException.class)
                    .hasMessage(
                            "expected an adapter that puts a prefix or a prompt before rows, found random without either;"
                                    + " give one of prefix tuning, prompt tuning or P-tuning");
            assertThatThrownBy(() -> PrefixDiagnosis.of(base, prefix, List.of(), () -> false))
                    .isInstanceOf(InvalidConfigException.class)
                    .hasMessage("there is nothing to read; give at least one row");
        }
    }
}
