package io.peftj.djl.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.Contribution.DeltaFormula;
import io.peftj.core.adapter.Contribution.DeltaInput;
import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.run.Batch;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.run.Row;
import io.peftj.core.run.Run;
import io.peftj.core.run.Stack;
import io.peftj.core.site.OutputRange;
import io.peftj.core.site.Role;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Deltas that are added to the queries or values alone of GPT-2's fused layer. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class OutputRangesTest {
    private static final int[] TOKENS = {3, 14, 15, 9, 2, 6};

    private List<BackboneModel> models = List.of();

    @BeforeAll
    void open() {
        models = Stream.of(TestBackends.EXACT, TestBackends.ENGINE)
                .map(backend -> TinyBackbones.gpt2(backend, DType.F32))
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
    void aDeltaOfARangeIsOneOfAllOutputsThatIsZeroElsewhere(BackboneModel model) {
        for (Role role : List.of(Role.QUERY, Role.KEY, Role.VALUE)) {
            OutputRange range = model.spec().outputs(role).get(1);
            HostTensor some = random(range);
            try (ResidentAdapter ofRange = resident(model, range, some);
                    ResidentAdapter ofAll = resident(model, OutputRange.all(range.site()), zerosAround(range, some));
                    BackboneModel merged =
                            new BackboneModel("merged", model.base().merged(ofRange, null))) {
                double[] expected = logits(model, ofAll).get(0);

                assertClose(model, logits(model, ofRange).get(0), expected);
                assertClose(model, logits(merged, (ResidentAdapter) null).get(0), expected);
                assertThat(expected)
                        .isNotEqualTo(logits(model, (ResidentAdapter) null).get(0));
            }
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("models")
    void rowsWithDeltasOfOtherRangesGiveWhatTheyGiveAlone(BackboneModel model) {
        List<OutputRange> ranges = new ArrayList<>();
        List.of(Role.QUERY, Role.VALUE, Role.QUERY)
                .forEach(role -> ranges.add(model.spec().outputs(role).get(0)));
        ranges.add(OutputRange.all(ranges.get(0).site()));
        List<ResidentAdapter> adapters = new ArrayList<>();
        ranges.forEach(range -> adapters.add(resident(model, range, random(range))));
        adapters.add(1, null);

        List<double[]> together = logits(model, adapters.toArray(ResidentAdapter[]::new));

        for (int row = 0; row < adapters.size(); row++) {
            assertClose(
                    model, together.get(row), logits(model, adapters.get(row)).get(0));
        }
        adapters.remove(1);
        adapters.forEach(ResidentAdapter::close);
    }

    private static void assertClose(BackboneModel model, double[] found, double[] expected) {
        double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
        assertThat(found).containsExactly(expected, within(Math.max(1e-6, model.tolerance()) * largest));
    }

    private static HostTensor random(OutputRange range) {
        return CounterRandom.of(range.begin())
                .normal(Shape.of(range.size(), range.site().in()), 0.3);
    }

    private static HostTensor zerosAround(OutputRange range, HostTensor some) {
        float[] all = new float[range.site().out() * range.site().in()];
        System.arraycopy(some.values(), 0, all, range.begin() * range.site().in(), some.values().length);
        return HostTensor.of(Shape.of(range.site().out(), range.site().in()), all);
    }

    private static ResidentAdapter resident(BackboneModel model, OutputRange range, HostTensor matrix) {
        return ResidentAdapter.load(model, range.toString(), new Plan(range), Map.of("matrix", matrix));
    }

    /** The logits of a row of the same tokens under each adapter; null stands for the base. */
    private static List<double[]> logits(BackboneModel model, ResidentAdapter... adapters) {
        return model.base().call("logits", session -> {
            List<Row> rows = new ArrayList<>();
            for (ResidentAdapter adapter : adapters) {
                rows.add(Row.of(adapter == null ? Stack.BASE : Stack.of(adapter.in(session)), 0, TOKENS));
            }
            Batch batch = Batch.of(session, model.spec(), rows);
            List<Tensor> ofRows = model.logits(new Run(session, batch, null));
            double[][] logits = new double[rows.size()][];
            for (int r = 0; r < logits.length; r++) {
                logits[batch.callersRow(r)] = ofRows.get(r).toDoubles();
            }
            return Arrays.asList(logits);
        });
    }

    /** Adds Mx to some outputs. */
    private record Plan(OutputRange range) implements AdapterPlan {
        @Override
        public List<ParameterSpec> stored() {
            return List.of(new ParameterSpec(
                    "matrix", Shape.of(range.size(), range.site().in())));
        }

        @Override
        public Map<String, HostTensor> initialise(InitialiseContext context) {
            return Map.of("matrix", random(range));
        }

        @Override
        public Map<String, Tensor> derive(Map<String, Tensor> parameters, DeriveContext context) {
            return parameters;
        }

        @Override
        public List<Contribution> contributions() {
            return List.of(new Contribution.Delta(range, Product.INSTANCE, List.of("matrix"), 0));
        }
    }

    private enum Product implements DeltaFormula {
        INSTANCE;

        @Override
        public Tensor apply(DeltaInput input) {
            Segments segments = input.segments();
            return segments == null
                    ? input.x().linear(input.parameter(0))
                    : input.x().linear(input.parameter(0), segments);
        }

        @Override
        public int paddedAxis(int parameter) {
            return -1;
        }

        @Override
        public Tensor change(List<Tensor> parameters, Tensor matrix) {
            return parameters.get(0);
        }
    }
}
