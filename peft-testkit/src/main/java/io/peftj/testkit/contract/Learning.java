package io.peftj.testkit.contract;

import static io.peftj.testkit.contract.Bits.assertSameBits;
import static io.peftj.testkit.contract.Bits.base;
import static io.peftj.testkit.contract.Bits.bits;
import static io.peftj.testkit.contract.Bits.shapes;
import static io.peftj.testkit.contract.Closeness.assertCloseGradients;
import static io.peftj.testkit.contract.Closeness.distance;
import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.core.run.Run;
import io.peftj.core.run.Training;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import java.util.List;
import java.util.Map;

/** What training does, and to what. The rules are {@link AdapterMethodContract}'s. */
final class Learning {
    private static final int STEPS = 3;

    private Learning() {}

    static void everyParameterHasAGradient(ContractCase c) {
        Subject adapter = c.randomised(AdapterMethodContract.SEED);

        Map<String, double[]> gradients = Rows.of(
                Rows.gradients(c.model(), adapter.on(TestRow.ragged(c.model(), AdapterMethodContract.SEED)), null),
                adapter.name());

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

    static void trainingChangesTheAdapterAndNothingElse(ContractCase c) {
        List<TestRow> rows = TestRow.ragged(c.model(), AdapterMethodContract.SEED);
        Subject start = c.randomised(AdapterMethodContract.SEED);
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

    static void layersThatAreComputedAgainGiveTheSameGradients(ContractCase c) {
        List<TestRow> rows =
                c.randomised(AdapterMethodContract.SEED).on(TestRow.ragged(c.model(), AdapterMethodContract.SEED));
        Training training = new Training(AdapterMethodContract.SEED, 1);

        Map<String, Map<String, double[]>> found =
                Rows.gradientsOf(c.model(), rows, (session, batch) -> Run.recomputing(session, batch, training));

        Rows.gradients(c.model(), rows, training).forEach((adapter, gradients) -> {
            // In bf16 a sum of gradients may be rounded in another order.
            double tolerance = c.model().dtype() == DType.BF16 ? 10 * c.model().tolerance() : 0;
            assertCloseGradients(adapter, Rows.of(found, adapter), gradients, tolerance);
        });
    }
}
