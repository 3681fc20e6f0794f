package io.peftj.djl.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.run.ActiveAdapter;
import io.peftj.core.run.Batch;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.run.Row;
import io.peftj.core.run.Run;
import io.peftj.core.run.Stack;
import io.peftj.core.run.Training;
import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Updates.AdamW;
import io.peftj.djl.train.Example.Assigned;
import io.peftj.djl.train.Objective;
import io.peftj.djl.train.OptimizerStep;
import io.peftj.djl.train.OptimizerStep.Settings;
import io.peftj.djl.train.TrainableAdapter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Rows under adapters of several methods, alone and stacked, in one batch: each gives and learns what it would alone. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MixedRowsTest {
    private static final Training TRAINING = new Training(2, 3);
    /** Without momentum the first moment is the gradient itself; the large epsilon keeps steps from being all of one size. */
    private static final Settings SETTINGS = new Settings(new AdamW(0.1, 0, 0.9, 1, 0), 1, TRAINING);

    private List<BackboneModel> models = List.of();

    @BeforeAll
    void open() {
        models = Stream.of(TestBackends.EXACT, TestBackends.ENGINE)
                .flatMap(backend -> Stream.of(
                        TinyBackbones.llama(backend, DType.F32),
                        TinyBackbones.tiedLlama(backend, DType.F32),
                        TinyBackbones.llamaClassifier(backend, DType.F32),
                        TinyBackbones.mistral(backend, DType.F32),
                        TinyBackbones.qwen2(backend, DType.F32),
                        TinyBackbones.qwen3(backend, DType.F32),
                        TinyBackbones.gpt2(backend, DType.F32),
                        TinyBackbones.gpt2Classifier(backend, DType.F32),
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

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("models")
    void eachRowGivesWhatItGivesAlone(BackboneModel model) {
        MixedRows mixed = MixedRows.on(model);

        assertLogits(model, mixed, null);
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("models")
    void eachRowDropsWhatItDropsAlone(BackboneModel model) {
        MixedRows mixed = MixedRows.on(model);

        assertLogits(model, mixed, TRAINING);
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("models")
    void eachAdapterLearnsWhatItLearnsAlone(BackboneModel model) {
        MixedRows mixed = MixedRows.on(model);

        Step together = step(model, mixed, List.of(mixed.rows()));

        double loss = 0;
        Map<String, double[]> sums = new TreeMap<>();
        for (Map.Entry<List<Integer>, List<Assigned>> alone : mixed.byStack().entrySet()) {
            if (!alone.getKey().isEmpty()) {
                Step step = step(model, mixed, List.of(alone.getValue()));
                loss += step.loss();
                step.gradients().forEach((name, gradient) -> sums.merge(name, gradient, MixedRowsTest::plus));
            }
        }
        assertThat(together.loss()).isCloseTo(loss, within(1e-5 * loss));
        assertClose(together.gradients(), sums, model.isExact() ? 1e-9 : 5e-4);
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("models")
    void anAdapterInOneStackTakesTheStepItTakesAlone(BackboneModel model) {
        MixedRows mixed = MixedRows.on(model);
        // The first adapter alone, beside others that share nothing with it.
        List<Assigned> rows = mixed.rows().stream()
                .filter(row ->
                        row.adapters().equals(List.of(0)) || !row.adapters().contains(0))
                .toList();
        List<Assigned> alone =
                rows.stream().filter(row -> row.adapters().equals(List.of(0))).toList();

        Step together = step(model, mixed, List.of(rows));
        Step solo = step(model, mixed, List.of(alone));

        String first = mixed.adapters().get(0).name();
        assertClose(
                ofAdapter(together.values(), first), ofAdapter(solo.values(), first), model.isExact() ? 1e-6 : 1e-4);
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("models")
    void microBatchesOfAnyCutEqualTheWholeBatch(BackboneModel model) {
        MixedRows mixed = MixedRows.on(model);
        List<Assigned> rows = mixed.rows();

        Step whole = step(model, mixed, List.of(rows));
        Step cut = step(model, mixed, List.of(rows.subList(0, 1), rows.subList(1, 20), rows.subList(20, rows.size())));

        assertThat(cut.loss()).isCloseTo(whole.loss(), within(1e-5 * whole.loss()));
        assertClose(cut.gradients(), whole.gradients(), model.isExact() ? 1e-9 : 5e-4);
    }

    // ---- forward ----

    private static void assertLogits(BackboneModel model, MixedRows mixed, @Nullable Training training) {
        Map<Long, double[]> together = logits(model, mixed, mixed.rows(), training);
        Map<Long, double[]> alone = new TreeMap<>();
        mixed.byStack().values().forEach(rows -> alone.putAll(logits(model, mixed, rows, training)));
        assertThat(together).hasSameSizeAs(mixed.rows());
        assertClose(together, alone, model.tolerance());
    }

    /** Logits by the example's number. */
    private static Map<Long, double[]> logits(
            BackboneModel model, MixedRows mixed, List<Assigned> rows, @Nullable Training training) {
        List<ResidentAdapter> resident = mixed.adapters().stream()
                .map(adapter -> adapter.resident(model))
                .toList();
        try {
            return model.base().call("logits", session -> {
                List<ActiveAdapter> active =
                        resident.stream().map(adapter -> adapter.in(session)).toList();
                Batch batch = Batch.of(session, model.spec(), laidOut(rows, active));
                List<Tensor> ofRows = model.logits(new Run(session, batch, training));
                Map<Long, double[]> logits = new TreeMap<>();
                for (int r = 0; r < ofRows.size(); r++) {
                    logits.put(batch.rows().get(r).example(), ofRows.get(r).toDoubles());
                }
                return logits;
            });
        } finally {
            resident.forEach(ResidentAdapter::close);
        }
    }

    private static List<Row> laidOut(List<Assigned> rows, List<ActiveAdapter> active) {
        List<Row> laidOut = new ArrayList<>();
        for (Assigned row : rows) {
            Stack stack = new Stack(row.adapters().stream().map(active::get).toList());
            laidOut.addAll(row.example().rows(stack));
        }
        return laidOut;
    }

    // ---- training ----

    /** What a step gave; names are "adapter: parameter". */
    private record Step(double loss, Map<String, double[]> gradients, Map<String, double[]> values) {}

    private static Step step(BackboneModel model, MixedRows mixed, List<List<Assigned>> microBatches) {
        HeadSpec head = model.spec().head();
        Objective objective = head == null ? new Objective.NextToken() : new Objective.Classification(head);
        List<TrainableAdapter> trained = mixed.adapters().stream()
                .map(adapter -> adapter.trainable(model))
                .toList();
        try {
            return model.base().call("step", session -> {
                double loss = new OptimizerStep(model.base(), objective, trained, 0)
                        .take(session, microBatches, SETTINGS)
                        .loss();
                Map<String, double[]> gradients = new TreeMap<>();
                Map<String, double[]> values = new TreeMap<>();
                for (TrainableAdapter adapter : trained) {
                    adapter.parameters().forEach((name, moments) -> {
                        gradients.put(adapter.name() + ": " + name, read(session, moments.first()));
                        values.put(adapter.name() + ": " + name, read(session, moments.parameter()));
                    });
                }
                return new Step(loss, gradients, values);
            });
        } finally {
            trained.forEach(TrainableAdapter::close);
        }
    }

    private static double[] read(Session session, Constant constant) {
        return session.tensor(constant).toDoubles();
    }

    private static Map<String, double[]> ofAdapter(Map<String, double[]> values, String adapter) {
        Map<String, double[]> own = new LinkedHashMap<>(values);
        own.keySet().removeIf(name -> !name.startsWith(adapter + ": "));
        return own;
    }

    // ---- comparing ----

    private static double[] plus(double[] a, double[] b) {
        double[] sum = new double[a.length];
        Arrays.setAll(sum, i -> a[i] + b[i]);
        return sum;
    }

    /** Errors count relative to the largest value. */
    private static <K> void assertClose(Map<K, double[]> found, Map<K, double[]> expected, double tolerance) {
        assertThat(found.keySet()).isEqualTo(expected.keySet());
        double scale = expected.values().stream()
                .flatMapToDouble(Arrays::stream)
                .map(Math::abs)
                .max()
                .orElseThrow();
        assertThat(scale).isPositive();
        expected.forEach((key, values) ->
                assertThat(found.get(key)).as("%s", key).containsExactly(values, within(tolerance * scale)));
    }
}
