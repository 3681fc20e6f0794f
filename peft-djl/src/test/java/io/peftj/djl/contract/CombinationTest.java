package io.peftj.djl.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import io.peftj.core.IncompatibleAdapterException;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.LoadOptions;
import io.peftj.core.adapter.Pooling;
import io.peftj.core.adapter.TaskData;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.adapter.WeightedAdapter;
import io.peftj.core.run.AdapterCombination;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import io.peftj.core.site.Targets;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Matrix;
import io.peftj.djl.backbone.AdapterLoader;
import io.peftj.djl.backbone.Backbone;
import io.peftj.methods.bitfit.BitFitConfig;
import io.peftj.methods.full.FullConfig;
import io.peftj.methods.head.HeadConfig;
import io.peftj.methods.ia3.FeedForward;
import io.peftj.methods.ia3.Ia3Config;
import io.peftj.methods.lora.LoraBias;
import io.peftj.methods.lora.LoraCombination;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.methods.lora.LoraInit;
import io.peftj.methods.lora.TrainableTokens;
import io.peftj.methods.prefix.PrefixConfig;
import io.peftj.testkit.contract.ContractModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CombinationTest {
    private static final double[] WEIGHTS = {0.75, -1.5, 2};

    private List<BackboneModel> models = List.of();

    @BeforeAll
    void open() {
        models = Stream.of(TestBackends.EXACT, TestBackends.ENGINE)
                .flatMap(backend -> Stream.of(
                        TinyBackbones.llama(backend, DType.F32),
                        TinyBackbones.tiedLlama(backend, DType.F32),
                        TinyBackbones.bert(backend, DType.F32)))
                .toList();
    }

    @AfterAll
    void close() {
        models.forEach(BackboneModel::close);
    }

    List<BackboneModel> models() {
        return models;
    }

    /** Other ranks, scales, targets, starts, and things trained whole. */
    private static List<LoraConfig> configs(BackboneModel model) {
        boolean decodes = model.spec().decoder();
        LoraConfig plain = LoraConfig.builder()
                .taskType(BackboneContract.task(model.spec()))
                .build();
        return List.of(
                plain.toBuilder().rank(2).alpha(3).trainableTokens(3, 7).build(),
                plain.toBuilder()
                        .rank(4)
                        .alpha(9)
                        .rankStabilised(true)
                        .bias(LoraBias.ALL)
                        .targets(
                                decodes ? new String[] {"q_proj", "down_proj"} : new String[] {"query", "output.dense"})
                        .rankPattern(Map.of(decodes ? "down_proj" : "output.dense", 3))
                        .trainableTokens(7, 20)
                        .build(),
                plain.toBuilder()
                        .rank(3)
                        .init(LoraInit.PISSA)
                        .layersToTransform(List.of(1))
                        .modulesToSave(decodes ? List.of("norm") : List.of("pooler"))
                        .build());
    }

    private static List<Adapter> adapters(BackboneModel model) {
        return configs(model).stream()
                .map(config -> adapter(model, "adapter " + config.rank(), config))
                .toList();
    }

    private static Adapter adapter(BackboneModel model, String name, AdapterConfig config) {
        AdapterConfig complete = AdapterMethods.complete(model.spec(), config);
        return new Adapter(
                AdapterMethods.of(complete).type(),
                complete,
                TestAdapter.random(name, complete, model.spec()).values(),
                TaskData.NONE,
                model.base().fingerprint().encode(),
                new JsonObject());
    }

    private static WeightedAdapter[] terms(List<Adapter> adapters) {
        WeightedAdapter[] terms = new WeightedAdapter[adapters.size()];
        Arrays.setAll(terms, i -> new WeightedAdapter(adapters.get(i), WEIGHTS[i]));
        return terms;
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("models")
    void theExactSumChangesTheModelByTheSumOfTheChanges(BackboneModel model) {
        List<Adapter> adapters = adapters(model);

        Adapter sum = AdapterCombination.exact(model, terms(adapters));

        assertChanges(changes(model, sum), expected(model, adapters), 1e-5);
    }

    /** Of every other method whose changes add up, with other targets and things trained whole. */
    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("models")
    void otherMethodsAddUpTheirChanges(BackboneModel model) {
        TaskType task = BackboneContract.task(model.spec());
        boolean decodes = model.spec().decoder();
        Ia3Config vectors = Ia3Config.builder().taskType(task).build();
        List<List<AdapterConfig>> methods = List.of(
                List.of(
                        vectors,
                        vectors.toBuilder()
                                .targets(decodes ? new String[] {"q_proj", "v_proj"} : new String[] {"query", "value"})
                                .feedForward(FeedForward.none())
                                .modulesToSave(decodes ? List.of("norm") : List.of("pooler"))
                                .build(),
                        vectors.toBuilder()
                                .exclude(Targets.names(decodes ? "k_proj" : "key"))
                                .build()),
                List.of(
                        BitFitConfig.ofTask().withTaskType(task),
                        new BitFitConfig(decodes ? List.of("norm") : List.of("pooler"), task)),
                List.of(
                        FullConfig.ofTask().withTaskType(task),
                        FullConfig.ofTask().withTaskType(task)),
                List.of(
                        new HeadConfig(decodes ? List.of("norm") : List.of("pooler"), task),
                        new HeadConfig(decodes ? List.of("down_proj") : List.of("query"), task)));
        for (List<AdapterConfig> configs : methods) {
            List<Adapter> adapters = IntStream.range(0, configs.size())
                    .mapToObj(i -> adapter(model, "adapter " + i, configs.get(i)))
                    .toList();

            Adapter sum = AdapterCombination.exact(model, terms(adapters));

            assertThat(sum.type()).isEqualTo(adapters.get(0).type());
            assertChanges(changes(model, sum), expected(model, adapters), 1e-5);
        }
    }

    private static Map<String, double[]> expected(BackboneModel model, List<Adapter> adapters) {
        Map<String, double[]> expected = new LinkedHashMap<>();
        for (int a = 0; a < adapters.size(); a++) {
            double weight = WEIGHTS[a];
            changes(model, adapters.get(a)).forEach((name, change) -> {
                double[] sum = expected.computeIfAbsent(name, key -> new double[change.length]);
                Arrays.setAll(sum, i -> sum[i] + weight * change[i]);
            });
        }
        return expected;
    }

    private static void assertChanges(Map<String, double[]> found, Map<String, double[]> expected, double tolerance) {
        expected.forEach((name, change) -> {
            double scale = Arrays.stream(change).map(Math::abs).max().orElse(0);
            assertThat(found.get(name)).as(name).containsExactly(change, within(tolerance * Math.max(1, scale)));
        });
    }

    /** What merging an adapter adds to each parameter; both ends of a tied embedding count. */
    private static Map<String, double[]> changes(BackboneModel model, Adapter adapter) {
        Set<String> names = new LinkedHashSet<>(model.spec().parameters().keySet());
        model.spec().sites().stream().filter(Site::isBodyLinear).forEach(site -> names.add(site.biasName()));
        model.spec().sites(Role.OUTPUT_EMBEDDING).forEach(site -> names.add(site.weightName()));
        Map<String, double[]> changes = new LinkedHashMap<>();
        try (ResidentAdapter resident = AdapterLoader.resident(model.base(), "merged", adapter);
                Backbone merged = model.base().merged(resident, model.spec().head())) {
            for (String name : names) {
                Optional<HostTensor> value = merged.parameter(name);
                if (value.isEmpty()) {
                    continue;
                }
                float[] after = value.get().values();
                float[] before = model.parameter(name).map(HostTensor::values).orElseGet(() -> new float[after.length]);
                double[] change = new double[after.length];
                Arrays.setAll(change, i -> (double) after[i] - before[i]);
                changes.put(name, change);
            }
        }
        return changes;
    }

    /** Eckart and Young: the squared distance is the sum of the smaller singular values' squares. */
    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("models")
    void theNearestSumOfARankIsTheBestOne(BackboneModel model) {
        List<Adapter> adapters = adapters(model);
        Map<String, double[]> exact = changes(model, AdapterCombination.exact(model, terms(adapters)));

        Map<String, double[]> nearest = changes(model, LoraCombination.nearest(model, 3, terms(adapters)));

        int compared = 0;
        for (Site site : model.spec().sites()) {
            if (site.isBodyLinear() && site.role() != Role.POOLER) {
                double[] all = exact.get(site.weightName());
                double[] near = nearest.get(site.weightName());
                double[] singular = model.backend()
                        .linearAlgebra()
                        .svd(Matrix.of(site.out(), site.in(), all))
                        .values()
                        .values();
                double distance = 0;
                for (int i = 0; i < all.length; i++) {
                    distance += Math.pow(all[i] - near[i], 2);
                }
                double smaller = Arrays.stream(singular, 3, singular.length)
                        .map(value -> value * value)
                        .sum();
                assertThat(distance).as(site.name()).isCloseTo(smaller, within(1e-3 * (1 + smaller)));
                compared += smaller > 1e-3 ? 1 : 0;
            }
        }
        assertThat(compared).isPositive();
    }

    @Test
    void aRankThatIsHighEnoughGivesTheExactSum() {
        ContractModel model = models.get(0);
        List<Adapter> adapters = adapters(models.get(0));

        Adapter sum = LoraCombination.nearest(model, 16, terms(adapters));

        assertThat(((LoraConfig) sum.config()).rankPattern()).isEmpty();
        assertChanges(changes(models.get(0), sum), expected(models.get(0), adapters), 1e-5);
    }

    @Test
    void aCombinationIsSavedAndLoadedLikeOthers(@TempDir Path folder) {
        BackboneModel model = models.get(1);
        Adapter sum = AdapterCombination.exact(model, terms(adapters(model)));
        AdapterFiles.save(sum, folder);

        Adapter loaded = AdapterFiles.load(folder, model.spec(), model.base().fingerprint(), LoadOptions.STRICT);

        assertThat(((LoraConfig) loaded.config()).trainableTokens())
                .isEqualTo(new TrainableTokens.OfEmbeddings(List.of(3, 7, 20)));
        for (Map.Entry<String, HostTensor> parameter : sum.parameters().entrySet()) {
            assertThat(loaded.parameters().get(parameter.getKey()).values())
                    .isEqualTo(parameter.getValue().values());
        }
    }

    @Test
    void rowsOfEndsThatAreTrainedApartStayApart() {
        BackboneModel tied = models.get(1);
        LoraConfig lora = LoraConfig.builder().rank(2).build();
        Adapter both = adapter(tied, "both", lora.toBuilder().trainableTokens(3).build());
        Adapter one = adapter(
                tied,
                "one",
                lora.toBuilder()
                        .trainableTokens(new TrainableTokens.ByModule(Map.of("lm_head", List.of(5))))
                        .build());
        List<Adapter> adapters = List.of(both, one);

        Adapter sum = AdapterCombination.exact(tied, terms(adapters));

        assertThat(((LoraConfig) sum.config()).trainableTokens())
                .isEqualTo(new TrainableTokens.ByModule(
                        Map.of("model.embed_tokens", List.of(3), "lm_head", List.of(3, 5))));
        assertChanges(changes(tied, sum), expected(tied, adapters), 1e-5);
    }

    @Test
    void whatCannotBeCombinedIsRefused() {
        BackboneModel model = models.get(0);
        LoraConfig lora =
                LoraConfig.builder().rank(2).taskType(TaskType.CAUSAL_LM).build();
        Adapter plain = adapter(model, "plain", lora);
        List<Refusal> refusals = new ArrayList<>();
        refusals.add(new Refusal("needs adapters, found none"));
        refusals.add(new Refusal(
                "without use_dora",
                new WeightedAdapter(
                        adapter(model, "d", lora.toBuilder().dora(true).build()), 1)));
        refusals.add(new Refusal(
                "takes adapters of one method, found LORA and IA3",
                new WeightedAdapter(plain, 1),
                new WeightedAdapter(adapter(model, "i", Ia3Config.builder().build()), 1)));
        refusals.add(new Refusal(
                "adapters of type PREFIX_TUNING cannot be added up",
                new WeightedAdapter(
                        adapter(
                                model,
                                "p",
                                PrefixConfig.builder().virtualTokens(2).build()),
                        1)));
        refusals.add(new Refusal(
                "scale \"model.layers.0.self_attn.v_proj\" in two ways, its input and its output",
                new WeightedAdapter(adapter(model, "i", Ia3Config.builder().build()), 1),
                new WeightedAdapter(
                        adapter(
                                model,
                                "v",
                                Ia3Config.builder()
                                        .targets("v_proj")
                                        .feedForward("v_proj")
                                        .build()),
                        1)));
        refusals.add(new Refusal(
                "train \"model.layers.0.mlp.down_proj\" in two ways, whole and by a vector",
                new WeightedAdapter(adapter(model, "i", Ia3Config.builder().build()), 1),
                new WeightedAdapter(
                        adapter(
                                model,
                                "w",
                                Ia3Config.builder()
                                        .targets("v_proj")
                                        .feedForward(FeedForward.none())
                                        .modulesToSave(List.of("down_proj"))
                                        .build()),
                        1)));
        refusals.add(new Refusal("weight is NaN", new WeightedAdapter(plain, Double.NaN)));
        refusals.add(new Refusal(
                "for different tasks, [CAUSAL_LM, FEATURE_EXTRACTION]",
                new WeightedAdapter(plain, 1),
                new WeightedAdapter(
                        adapter(
                                model,
                                "t",
                                lora.toBuilder()
                                        .taskType(TaskType.FEATURE_EXTRACTION)
                                        .build()),
                        1)));
        refusals.add(new Refusal(
                "train \"model.embed_tokens\" in two ways, whole and by low-rank matrices",
                new WeightedAdapter(
                        adapter(
                                model,
                                "w",
                                lora.toBuilder()
                                        .modulesToSave(List.of("embed_tokens"))
                                        .build()),
                        1),
                new WeightedAdapter(
                        adapter(
                                model,
                                "e",
                                lora.toBuilder().targets("embed_tokens").build()),
                        1)));

        for (Refusal refusal : refusals) {
            assertThatThrownBy(() -> AdapterCombination.exact(model, refusal.terms()))
                    .isInstanceOf(InvalidConfigException.class)
                    .hasMessageContaining(refusal.message());
        }
        WeightedAdapter other =
                new WeightedAdapter(adapter(model, "i", Ia3Config.builder().build()), 1);
        assertThatThrownBy(() -> LoraCombination.nearest(model, 2, other))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage("a combination of a rank takes LoRA adapters, found one of type IA3; take"
                        + " AdapterCombination.exact for others");
        assertThatThrownBy(() -> LoraCombination.nearest(model, 0, new WeightedAdapter(plain, 1)))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage("a combination's rank is 0; expected at least 1, such as 8");
    }

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Refusal(String message, WeightedAdapter... terms) {}

    /** What applications read beside the parameters: kept where the adapters agree, and never made up. */
    @Test
    void whatAdaptersSayOfTheirTaskIsKeptWhereTheyAgree() {
        BackboneModel model = models.get(2);
        LoraConfig lora =
                LoraConfig.builder().rank(2).taskType(TaskType.SEQ_CLS).build();
        List<String> labels = List.of("a", "b", "c");
        Adapter one = saying(model, lora, new TaskData(labels, "{text}", 64, null, "t"));
        Adapter two = saying(model, lora, new TaskData(labels, "{text}", 128, Pooling.MEAN, "t"));

        Adapter sum = AdapterCombination.exact(model, new WeightedAdapter(one, 1), new WeightedAdapter(two, 1));

        assertThat(sum.task()).isEqualTo(new TaskData(labels, "{text}", null, Pooling.MEAN, "t"));
        assertRefused(
                "have labels each of their own, [[a, b, c], [b, a, c]]",
                model,
                one,
                saying(model, lora, new TaskData(List.of("b", "a", "c"), null, null, null, "t")));
        assertRefused(
                "have a pooling each of their own, [MEAN, LAST]",
                model,
                two,
                saying(model, lora, new TaskData(labels, null, null, Pooling.LAST, "t")));
        assertRefused(
                "have a tokenizer each of their own, [t, u]",
                model,
                one,
                saying(model, lora, new TaskData(labels, null, null, null, "u")));
    }

    private static Adapter saying(BackboneModel model, AdapterConfig config, TaskData task) {
        Adapter plain = adapter(model, "saying", config);
        return new Adapter(
                plain.type(), plain.config(), plain.parameters(), task, plain.fingerprint(), plain.otherKeys());
    }

    private static void assertRefused(String message, BackboneModel model, Adapter one, Adapter two) {
        assertThatThrownBy(
                        () -> AdapterCombination.exact(model, new WeightedAdapter(one, 1), new WeightedAdapter(two, 1)))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining(message)
                .hasMessageEndingWith("combine adapters that agree");
    }

    @Test
    void aSumThatIsNotFiniteIsRefused() {
        Adapter adapter =
                adapter(models.get(0), "one", LoraConfig.builder().rank(2).build());

        assertThatThrownBy(() -> AdapterCombination.exact(models.get(0), new WeightedAdapter(adapter, 1e300)))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("is not finite; give smaller weights");
    }

    /** PEFT's files may leave targets to the reader. */
    @Test
    void startsOfTheBaseWithDefaultTargetsAddUp() {
        BackboneModel model = models.get(0);
        LoraConfig pissa = LoraConfig.builder().rank(2).init(LoraInit.PISSA).build();
        Adapter complete = adapter(model, "pissa", pissa);
        Adapter open = complete.with(pissa, complete.parameters());

        Adapter sum = AdapterCombination.exact(model, new WeightedAdapter(open, 2));

        assertChanges(changes(model, sum), twice(changes(model, complete)), 1e-5);
    }

    private static Map<String, double[]> twice(Map<String, double[]> changes) {
        Map<String, double[]> all = new LinkedHashMap<>();
        changes.forEach((name, change) ->
                all.put(name, Arrays.stream(change).map(x -> 2 * x).toArray()));
        return all;
    }

    /** feedforward_modules need no dot before what they match: "0.mlp.down_proj" would mean layer 10 as well. */
    @Test
    void inputsAndOutputsOfLayersWhoseNamesEndAlikeStayApart() {
        String config = """
                {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "num_hidden_layers": 11, "hidden_size": 8,
                 "num_attention_heads": 2, "num_key_value_heads": 2, "intermediate_size": 12, "vocab_size": 24,
                 "max_position_embeddings": 32}""";
        try (BackboneModel deep = TinyBackbones.of("deep LLaMA", config, TestBackends.EXACT, DType.F32)) {
            String first = "model.layers.0.mlp.down_proj";
            List<Adapter> adapters = List.of(
                    adapter(
                            deep,
                            "input",
                            Ia3Config.builder()
                                    .targets(first)
                                    .feedForward(first)
                                    .build()),
                    adapter(
                            deep,
                            "output",
                            Ia3Config.builder()
                                    .targets("model.layers.10.mlp.down_proj")
                                    .feedForward(FeedForward.none())
                                    .build()));

            Adapter sum = AdapterCombination.exact(deep, terms(adapters));

            assertChanges(changes(deep, sum), expected(deep, adapters), 1e-5);
        }
    }

    @Test
    void headsThatTheBaseHasNotAreRefused() {
        BackboneModel model = models.get(0);
        BackboneSpec classifier = model.spec().withHead(model.spec().headFor(3));
        LoraConfig lora =
                LoraConfig.builder().rank(2).taskType(TaskType.SEQ_CLS).build();
        AdapterConfig complete = AdapterMethods.complete(classifier, lora);
        Adapter own = new Adapter(
                "LORA",
                complete,
                TestAdapter.random("own", complete, classifier).values(),
                TaskData.NONE,
                null,
                new JsonObject());

        assertThatThrownBy(() -> AdapterCombination.exact(model, new WeightedAdapter(own, 1)))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage("the adapters bring [base_model.model.score.weight], a head that the base model has not,"
                        + " so that changes of it cannot be added up; combine adapters without a head, and train it on"
                        + " the combination");
    }

    @Test
    void adaptersOfOtherBasesAreRefused() {
        BackboneModel model = models.get(0);
        LoraConfig lora = LoraConfig.builder().rank(2).build();
        try (BackboneModel other = TinyBackbones.otherLlama(TestBackends.EXACT, DType.F32)) {
            WeightedAdapter one = new WeightedAdapter(adapter(model, "one", lora), 1);
            WeightedAdapter two = new WeightedAdapter(adapter(other, "two", lora), 1);

            assertThatThrownBy(() -> AdapterCombination.exact(model, one, two))
                    .isInstanceOf(IncompatibleAdapterException.class)
                    .hasMessageContaining("a combination takes adapters of one base model");
            assertThatThrownBy(() -> AdapterCombination.exact(model, two, two))
                    .isInstanceOf(IncompatibleAdapterException.class)
                    .hasMessageEndingWith("; combine those of one, on that base");
            Adapter unknown = two.adapter();
            assertThat(AdapterCombination.exact(
                                    model,
                                    new WeightedAdapter(
                                            new Adapter(
                                                    unknown.type(),
                                                    unknown.config(),
                                                    unknown.parameters(),
                                                    TaskData.NONE,
                                                    null,
                                                    unknown.otherKeys()),
                                            1),
                                    one)
                            .fingerprint())
                    .isEqualTo(model.fingerprint().encode());
        }
    }
}
