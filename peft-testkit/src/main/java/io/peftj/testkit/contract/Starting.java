package io.peftj.testkit.contract;

import static io.peftj.testkit.contract.Bits.bits;
import static io.peftj.testkit.contract.Bits.shapes;
import static io.peftj.testkit.contract.Closeness.assertClose;
import static io.peftj.testkit.contract.Closeness.distance;
import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.core.adapter.AdapterPlan;
import java.util.List;

/** How a new adapter begins. The rules are {@link AdapterMethodContract}'s. */
final class Starting {
    private Starting() {}

    static void aNewAdapterStartsWhereItIsSaidTo(ContractCase c) {
        List<TestRow> rows = TestRow.ragged(c.model(), AdapterMethodContract.SEED);

        List<double[]> base = Rows.logits(c.model(), rows, null);
        List<double[]> adapted =
                Rows.logits(c.model(), c.initial(AdapterMethodContract.SEED).on(rows), null);

        if (c.tested().startsAsBase()) {
            // Initial values are numbers in single precision.
            assertClose("a new adapter", adapted, base, Math.max(c.model().tolerance(), 1e-6));
        } else {
            assertThat(distance(adapted, base)).as("what a new adapter changes").isGreaterThan(1e-3);
        }
    }

    static void equalSeedsGiveEqualAdapters(ContractCase c) {
        Subject first = c.initial(AdapterMethodContract.SEED);

        assertThat(bits(c.initial(AdapterMethodContract.SEED).values())).isEqualTo(bits(first.values()));
        if (c.tested().startsAtRandom()) {
            assertThat(bits(c.initial(AdapterMethodContract.SEED + 1).values())).isNotEqualTo(bits(first.values()));
        } else {
            assertThat(bits(c.initial(AdapterMethodContract.SEED + 1).values())).isEqualTo(bits(first.values()));
        }
    }

    static void thePlanCountsAndNamesWhatThereIs(ContractCase c) {
        AdapterPlan plan = c.plan();
        Subject adapter = c.initial(AdapterMethodContract.SEED);

        assertThat(shapes(adapter.values())).isEqualTo(shapes(plan.raw()));
        assertThat(shapes(adapter.stored())).isEqualTo(shapes(plan.stored()));
        assertThat(adapter.stored().keySet())
                .containsExactlyElementsOf(shapes(plan.stored()).keySet());
        assertThat(plan.trainableCount())
                .isEqualTo(adapter.values().values().stream()
                        .mapToLong(value -> value.shape().size())
                        .sum());
    }
}
