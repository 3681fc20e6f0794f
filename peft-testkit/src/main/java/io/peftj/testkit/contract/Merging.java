package io.peftj.testkit.contract;

import static io.peftj.testkit.contract.Bits.assertSameBits;
import static io.peftj.testkit.contract.Bits.base;
import static io.peftj.testkit.contract.Bits.bits;
import static io.peftj.testkit.contract.Closeness.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.PeftException;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.tensor.HostTensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a model with an adapter in its weights gives. The rules are {@link AdapterMethodContract}'s. */
final class Merging {
    /** Merged weights are rounded to the model's format once more, and products summed in another order. */
    private static final double MERGED = 1e-4;

    private Merging() {}

    static void theMergedModelGivesTheSameAsTheAdapter(ContractCase c) {
        List<TestRow> rows = TestRow.ragged(c.model(), AdapterMethodContract.SEED);
        Subject adapter = c.randomised(AdapterMethodContract.SEED);
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

    static void anAdapterThatIsNotFiniteIsNotMerged(ContractCase c) {
        List<TestRow> rows = TestRow.ragged(c.model(), AdapterMethodContract.SEED);
        Subject adapter = c.randomised(AdapterMethodContract.SEED);
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

    static void whatWeightsCannotHoldIsRefusedByName(ContractCase c) {
        try (ResidentAdapter resident = c.randomised(AdapterMethodContract.SEED).resident()) {
            assertThatThrownBy(() -> c.model().merged(resident))
                    .isInstanceOf(PeftException.class)
                    .hasMessageContaining("adapter " + resident.name())
                    .hasMessageContaining("cannot be merged");
        }
    }
}
