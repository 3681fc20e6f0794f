package io.peftj.testkit.contract;

import static io.peftj.testkit.contract.Closeness.assertClose;
import static io.peftj.testkit.contract.Closeness.assertCloseGradients;
import static io.peftj.testkit.contract.Closeness.distance;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.PeftException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.LoadOptions;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.run.Run;
import io.peftj.core.run.Training;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What every adapter method must do on every model: start where it says, train with true gradients and nothing but its own parameters, survive files
 * and merging, share a batch with others without noticing, and give its memory back.
 *
 * <p>Extend it and override the two factories. The method must be found by its {@link java.util.ServiceLoader} entry. At least one of the models must be
 * {@linkplain ContractModel#isExact() exact}, since only there finite differences tell right gradients from wrong ones.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class AdapterMethodContract {
    private static final long SEED = 11;
    private static final int STEPS = 3;
    /** Merged weights are rounded to the model's format once more, and products summed in another order. */
    private static final double MERGED = 1e-4;

    private final List<ContractModel> models = new ArrayList<>();
    private final List<Long> liveBytes = new ArrayList<>();

    /** The configurations to test on a model, of different sizes and with everything the method offers switched on somewhere; at least two. */
    protected abstract List<TestedConfig> configs(BackboneSpec spec);

    /** Opens the models to test on; the contract closes them. */
    protected abstract List<ContractModel> openModels();

    @BeforeAll
    void open() {
        models.addAll(openModels());
        models.forEach(model -> liveBytes.add(model.backend().memory().liveBytes()));
    }

    @AfterAll
    void close() {
        models.forEach(ContractModel::close);
    }

    @AfterEach
    void nothingIsLeftAlive() {
        for (int i = 0; i < models.size(); i++) {
            assertThat(models.get(i).backend().memory().liveBytes())
                    .as("live bytes of " + models.get(i))
                    .isEqualTo(liveBytes.get(i));
        }
    }

    List<ContractModel> models() {
        return models;
    }

    Stream<ContractModel> languageModels() {
        return models.stream()
                .filter(model -> model.spec().decoder() && model.spec().head() == null);
    }

    Stream<ContractCase> cases() {
        return models.stream()
                .flatMap(model -> configs(model.spec()).stream().map(tested -> new ContractCase(model, tested)));
    }

    Stream<ContractCase> exactCases() {
        return cases().filter(c -> c.model().isExact());
    }

    Stream<ContractCase> languageCases() {
        return languageModels()
                .flatMap(model -> configs(model.spec()).stream().map(tested -> new ContractCase(model, tested)));
    }

    Stream<ContractCase> mergeableCases() {
        return cases().filter(c -> c.tested().mergeable());
    }

    Stream<ContractCase> unmergeableCases() {
        return cases().filter(c -> !c.tested().mergeable());
    }

    Stream<ContractCase> droppingCases() {
        return cases().filter(c -> c.initial(SEED).dropout() > 0);
    }

    // ---- how it starts ----

    @ParameterizedTest
    @MethodSource("cases")
    void aNewAdapterStartsWhereItIsSaidTo(ContractCase c) {
        List<TestRow> rows = TestRow.ragged(c.model(), SEED);

        List<double[]> base = Rows.logits(c.model(), rows, null);
        List<double[]> adapted = Rows.logits(c.model(), c.initial(SEED).on(rows), null);

        if (c.tested().startsAsBase()) {
            // Initial values are numbers in single precision.
            assertClose("a new adapter", adapted, base, Math.max(c.model().tolerance(), 1e-6));
        } else {
            assertThat(distance(adapted, base)).as("what a new adapter changes").isGreaterThan(1e-3);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void equalSeedsGiveEqualAdapters(ContractCase c) {
        Subject first = c.initial(SEED);

        assertThat(bits(c.initial(SEED).values())).isEqualTo(bits(first.values()));
        if (c.tested().startsAtRandom()) {
            assertThat(bits(c.initial(SEED + 1).values())).isNotEqualTo(bits(first.values()));
        } else {
            assertThat(bits(c.initial(SEED + 1).values())).isEqualTo(bits(first.values()));
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void thePlanCountsAndNamesWhatThereIs(ContractCase c) {
        AdapterPlan plan = c.plan();
        Subject adapter = c.initial(SEED);

        assertThat(shapes(adapter.values())).isEqualTo(shapes(plan.raw()));
        assertThat(shapes(adapter.stored())).isEqualTo(shapes(plan.stored()));
        assertThat(adapter.stored().keySet())
                .containsExactlyElementsOf(shapes(plan.stored()).keySet());
        assertThat(plan.trainableCount())
                .isEqualTo(adapter.values().values().stream()
                        .mapToLong(value -> value.shape().size())
                        .sum());
    }

    // ---- gradients and training ----

    @ParameterizedTest
    @MethodSource("exactCases")
    void gradientsEqualFiniteDifferences(ContractCase c) {
        ModelGradientCheck.run(c.randomised(SEED), TestRow.ragged(c.model(), SEED), SEED);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void everyParameterHasAGradient(ContractCase c) {
        Subject adapter = c.randomised(SEED);

        Map<String, double[]> gradients =
                Rows.of(Rows.gradients(c.model(), adapter.on(TestRow.ragged(c.model(), SEED)), null), adapter.name());

        assertThat(gradients).containsOnlyKeys(shapes(c.plan().raw()).keySet());
        gradients.forEach((parameter, gradient) -> {
            assertThat(gradient).as("gradient of " + parameter).doesNotContain(Double.NaN);
            double largest = Closeness.largest(gradient);
            if (!c.tested().isFlat(parameter)) {
                assertThat(largest).as("largest gradient of " + parameter).isGreaterThan(1e-6);
            } else if (c.model().isExact()) {
                assertThat(largest)
                        .as("largest gradient of the flat " + parameter)
                        .isLessThan(1e-10);
            }
        });
    }

    @ParameterizedTest
    @MethodSource("cases")
    void trainingChangesTheAdapterAndNothingElse(ContractCase c) {
        List<TestRow> rows = TestRow.ragged(c.model(), SEED);
        Subject start = c.randomised(SEED);
        Map<String, HostTensor> base = base(c.model());
        List<double[]> baseLogits = Rows.logits(c.model(), rows, null);

        Subject trained = Steps.take(STEPS, start, rows);

        assertThat(bits(base(c.model()))).as("the base's weights").isEqualTo(bits(base));
        assertSameBits("the base after training", Rows.logits(c.model(), rows, null), baseLogits);
        start.values().forEach((parameter, value) -> {
            if (!c.tested().isFlat(parameter)) {
                assertThat(trained.value(parameter).values()).as(parameter).isNotEqualTo(value.values());
            }
        });
        assertThat(distance(
                        Rows.logits(c.model(), trained.on(rows), null), Rows.logits(c.model(), start.on(rows), null)))
                .as("what training changes")
                .isPositive();
    }

    // ---- files ----

    @ParameterizedTest
    @MethodSource("cases")
    void aSavedAdapterIsTheSameWhenLoaded(ContractCase c, @TempDir Path folder) throws IOException {
        List<TestRow> rows = TestRow.ragged(c.model(), SEED);
        Subject adapter = c.randomised(SEED);
        Subject stored = adapter.with(adapter.stored());
        AdapterFiles.save(adapter.adapter(), folder.resolve("once"));

        Adapter saved = AdapterFiles.load(folder.resolve("once"), c.model().spec(), LoadOptions.STRICT);
        Subject loaded = Subject.of(c.model(), adapter.name(), saved);
        AdapterFiles.save(saved, folder.resolve("twice"));

        assertSameBits(
                "the loaded adapter",
                Rows.logits(c.model(), loaded.on(rows), null),
                Rows.logits(c.model(), stored.on(rows), null));
        assertClose(
                "what files hold, against what was trained",
                Rows.logits(c.model(), loaded.on(rows), null),
                Rows.logits(c.model(), adapter.on(rows), null),
                Math.max(c.model().tolerance(), 1e-5));
        for (String file : List.of("adapter_config.json", "adapter_model.safetensors")) {
            assertThat(Files.readAllBytes(folder.resolve("twice").resolve(file)))
                    .as(file)
                    .isEqualTo(Files.readAllBytes(folder.resolve("once").resolve(file)));
        }
    }

    /** Gradient checkpointing: what is computed twice is the same twice, dropout included. */
    @ParameterizedTest
    @MethodSource("cases")
    void layersThatAreComputedAgainGiveTheSameGradients(ContractCase c) {
        List<TestRow> rows = c.randomised(SEED).on(TestRow.ragged(c.model(), SEED));
        Training training = new Training(SEED, 1);

        Map<String, Map<String, double[]>> found =
                Rows.gradientsOf(c.model(), rows, (session, batch) -> Run.recomputing(session, batch, training));

        Rows.gradients(c.model(), rows, training).forEach((adapter, gradients) -> {
            // In bf16 a sum of gradients may be rounded in another order.
            double tolerance = c.model().dtype() == DType.BF16 ? 10 * c.model().tolerance() : 0;
            assertCloseGradients(adapter, Rows.of(found, adapter), gradients, tolerance);
        });
    }

    // ---- merging ----

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("mergeableCases")
    void theMergedModelGivesTheSameAsTheAdapter(ContractCase c) {
        List<TestRow> rows = TestRow.ragged(c.model(), SEED);
        Subject adapter = c.randomised(SEED);
        Map<String, HostTensor> base = base(c.model());
        List<double[]> baseLogits = Rows.logits(c.model(), rows, null);
        List<double[]> expected = Rows.logits(c.model(), adapter.on(rows), null);

        try (ResidentAdapter resident = adapter.resident();
                ContractModel merged = c.model().merged(resident)) {
            double tolerance = Math.max(MERGED, 2 * c.model().tolerance());
            assertClose("the merged model", Rows.logits(merged, rows, null), expected, tolerance);
        }

        assertThat(bits(base(c.model()))).as("the base's weights").isEqualTo(bits(base));
        assertSameBits("the base after merging", Rows.logits(c.model(), rows, null), baseLogits);
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("mergeableCases")
    void anAdapterThatIsNotFiniteIsNotMerged(ContractCase c) {
        List<TestRow> rows = TestRow.ragged(c.model(), SEED);
        Subject adapter = c.randomised(SEED);
        List<double[]> base = Rows.logits(c.model(), rows, null);
        Map<String, HostTensor> broken = new LinkedHashMap<>();
        adapter.values().forEach((name, value) -> {
            float[] values = value.values().clone();
            Arrays.fill(values, Float.POSITIVE_INFINITY);
            broken.put(name, HostTensor.of(value.shape(), values));
        });

        try (ResidentAdapter resident = adapter.with(broken).resident()) {
            assertThatThrownBy(() -> c.model().merged(resident))
                    .isInstanceOf(PeftException.class)
                    .hasMessageContaining("merging adapter " + adapter.name())
                    .hasMessageContaining("not finite; the base model is unchanged");
        }

        assertSameBits("the base", Rows.logits(c.model(), rows, null), base);
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("unmergeableCases")
    void whatWeightsCannotHoldIsRefusedByName(ContractCase c) {
        try (ResidentAdapter resident = c.randomised(SEED).resident()) {
            assertThatThrownBy(() -> c.model().merged(resident))
                    .isInstanceOf(PeftException.class)
                    .hasMessageContaining("adapter " + resident.name())
                    .hasMessageContaining("cannot be merged");
        }
    }

    // ---- batches ----

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("models")
    void rowsOfAMixedBatchGiveWhatTheyGiveAlone(ContractModel model) {
        MixedBatch mixed = MixedBatch.of(model, configs(model.spec()), SEED);
        Training training = new Training(SEED, 1);

        for (List<TestRow> order : mixed.orders(SEED)) {
            assertClose("inference", Rows.logits(model, order, null), mixed.solo(order, null), model.tolerance());
            assertClose(
                    "training", Rows.logits(model, order, training), mixed.solo(order, training), model.tolerance());
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("models")
    void adaptersOfAMixedBatchLearnWhatTheyLearnAlone(ContractModel model) {
        MixedBatch mixed = MixedBatch.of(model, configs(model.spec()), SEED);
        Training training = new Training(SEED, 1);
        Map<String, Map<String, double[]>> expected = mixed.soloGradients(training);

        for (List<TestRow> order : mixed.orders(SEED)) {
            Map<String, Map<String, double[]>> found = Rows.gradients(model, order, training);
            assertThat(found.keySet()).isEqualTo(expected.keySet());
            expected.forEach((adapter, gradients) ->
                    assertCloseGradients(adapter, Rows.of(found, adapter), gradients, 10 * model.tolerance()));
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("models")
    void rowsWithoutAnAdapterGiveWhatTheBaseGives(ContractModel model) {
        MixedBatch mixed = MixedBatch.of(model, configs(model.spec()), SEED);
        List<TestRow> alone =
                mixed.rows().stream().filter(row -> row.stack().isEmpty()).toList();
        List<double[]> base = Rows.logits(model, alone, null);

        for (List<TestRow> order : mixed.orders(SEED)) {
            List<double[]> all = Rows.logits(model, order, null);
            List<double[]> found =
                    alone.stream().map(row -> all.get(order.indexOf(row))).toList();
            if (model.isExact()) {
                assertSameBits("rows of the base", found, base);
            } else {
                assertClose("rows of the base", found, base, model.tolerance());
            }
        }
    }

    /** A decoder's rows may come token by token, as generation has them. */
    @ParameterizedTest(autoCloseArguments = false, allowZeroInvocations = true)
    @MethodSource("languageModels")
    void keptKeysAndValuesGiveWhatWholeRowsGive(ContractModel model) {
        MixedBatch mixed = MixedBatch.of(model, configs(model.spec()), SEED);

        for (List<TestRow> order : mixed.orders(SEED)) {
            assertClose("token by token", CachedRows.logits(model, order), mixed.solo(order, null), model.tolerance());
        }
    }

    /** Labels are learnt from the tokens before them: what comes behind the prompt must not be seen any earlier. */
    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("languageCases")
    void aLaterTokenChangesNoEarlierLogit(ContractCase c) {
        Subject adapter = c.randomised(SEED);
        List<TestRow> rows = TestRow.ragged(c.model(), SEED);
        List<TestRow> others = rows.stream()
                .map(row -> row.withLastToken((row.ids().get(row.ids().size() - 1) + 1)
                        % c.model().spec().vocabulary()))
                .toList();

        List<double[]> found = Rows.logits(c.model(), adapter.on(others), null);
        List<double[]> expected = Rows.logits(c.model(), adapter.on(rows), null);

        for (int row = 0; row < rows.size(); row++) {
            int earlier = rows.get(row).ids().size() - 1;
            if (earlier >= rows.get(row).prompt(c.model())) {
                int tokens = expected.get(row).length - c.model().spec().vocabulary();
                assertThat(Arrays.copyOf(found.get(row), tokens))
                        .as("row " + row + " before its last token")
                        .isEqualTo(Arrays.copyOf(expected.get(row), tokens));
            }
        }
        assertThat(distance(found, expected)).as("what the last tokens change").isPositive();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void paddingChangesNothing(ContractCase c) {
        Subject adapter = c.randomised(SEED);
        List<TestRow> rows = TestRow.ragged(c.model(), SEED);
        List<double[]> expected = Rows.logits(c.model(), adapter.on(rows), null);

        for (PaddedRows padded : PaddedRows.allSides(c.model(), rows, SEED)) {
            assertSameBits(padded.toString(), padded.logits(adapter), expected);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void positionsAreShiftedByWhatStandsBefore(ContractCase c) {
        Positions.check(c.randomised(SEED), TestRow.ragged(c.model(), SEED));
    }

    // ---- dropout ----

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("droppingCases")
    void dropoutIsDrawnAgainByTheSameKeys(ContractCase c) {
        List<TestRow> rows = c.randomised(SEED).on(TestRow.ragged(c.model(), SEED));
        List<double[]> first = Rows.logits(c.model(), rows, new Training(SEED, 1));

        assertSameBits("the same step", Rows.logits(c.model(), rows, new Training(SEED, 1)), first);
        assertThat(distance(Rows.logits(c.model(), rows, new Training(SEED, 2)), first))
                .as("another step")
                .isPositive();
        assertThat(distance(Rows.logits(c.model(), rows, new Training(SEED + 1, 1)), first))
                .as("another seed")
                .isPositive();
        assertThat(distance(Rows.logits(c.model(), rows, null), first))
                .as("inference")
                .isPositive();
    }

    /** Of a small adapter the model is nearly linear, and there dropout must not change the mean. */
    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("droppingCases")
    void dropoutKeepsTheMean(ContractCase c) {
        int draws = 64;
        List<TestRow> rows = c.initial(SEED)
                .moved(0.02, SEED)
                .on(TestRow.ragged(c.model(), SEED).subList(0, 2));
        List<double[]> without = Rows.logits(c.model(), rows, null);
        List<double[]> mean =
                without.stream().map(row -> new double[row.length]).toList();
        double deviation = 0;
        for (int step = 0; step < draws; step++) {
            List<double[]> one = Rows.logits(c.model(), rows, new Training(SEED, step));
            deviation += distance(one, without) / draws;
            for (int row = 0; row < mean.size(); row++) {
                for (int i = 0; i < mean.get(row).length; i++) {
                    mean.get(row)[i] += one.get(row)[i] / draws;
                }
            }
        }

        // The mean of 64 draws is an eighth as far away as a single one. Forgetting to divide by what is kept would
        // move it farther than one draw.
        assertThat(distance(mean, without)).isLessThan(deviation / 2);
    }

    // ---- comparing ----

    private static void assertSameBits(String what, List<double[]> found, List<double[]> expected) {
        assertThat(found).as(what).hasSameSizeAs(expected);
        for (int row = 0; row < expected.size(); row++) {
            assertThat(found.get(row)).as(what + ", row " + row).isEqualTo(expected.get(row));
        }
    }

    private static Map<String, HostTensor> base(ContractModel model) {
        Map<String, HostTensor> values = new LinkedHashMap<>();
        model.spec()
                .parameters()
                .keySet()
                .forEach(name -> values.put(name, model.parameter(name).orElseThrow()));
        return values;
    }

    private static Map<String, List<Integer>> bits(Map<String, HostTensor> values) {
        Map<String, List<Integer>> bits = new LinkedHashMap<>();
        values.forEach((name, value) -> {
            List<Integer> ofValue = new ArrayList<>();
            for (float v : value.values()) {
                ofValue.add(Float.floatToRawIntBits(v));
            }
            bits.put(name, ofValue);
        });
        return bits;
    }

    private static Map<String, Shape> shapes(List<ParameterSpec> parameters) {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        parameters.forEach(parameter -> shapes.put(parameter.name(), parameter.shape()));
        return shapes;
    }

    private static Map<String, Shape> shapes(Map<String, HostTensor> values) {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        values.forEach((name, value) -> shapes.put(name, value.shape()));
        return shapes;
    }
}
