package io.peftj.testkit.contract;

import static io.peftj.testkit.contract.Bits.assertSameBits;
import static io.peftj.testkit.contract.Closeness.assertClose;
import static io.peftj.testkit.contract.Closeness.assertCloseGradients;
import static io.peftj.testkit.contract.Closeness.distance;
import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.core.run.Training;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Rows with different adapters in one batch, and rows that come in parts. The rules are {@link AdapterMethodContract}'s. */
final class Mixing {
    private Mixing() {}

    static void rowsOfAMixedBatchGiveWhatTheyGiveAlone(ContractModel model, List<TestedConfig> configs) {
        MixedBatch mixed = MixedBatch.of(model, configs, AdapterMethodContract.SEED);
        Training training = new Training(AdapterMethodContract.SEED, 1);

        for (List<TestRow> order : mixed.orders(AdapterMethodContract.SEED)) {
            assertClose("inference", Rows.logits(model, order, null), mixed.solo(order, null), model.tolerance());
            assertClose(
                    "training", Rows.logits(model, order, training), mixed.solo(order, training), model.tolerance());
        }
    }

    static void adaptersOfAMixedBatchLearnWhatTheyLearnAlone(ContractModel model, List<TestedConfig> configs) {
        MixedBatch mixed = MixedBatch.of(model, configs, AdapterMethodContract.SEED);
        Training training = new Training(AdapterMethodContract.SEED, 1);
        Map<String, Map<String, double[]>> expected = mixed.soloGradients(training);

        for (List<TestRow> order : mixed.orders(AdapterMethodContract.SEED)) {
            Map<String, Map<String, double[]>> found = Rows.gradients(model, order, training);
            assertThat(found.keySet()).isEqualTo(expected.keySet());
            expected.forEach((adapter, gradients) ->
                    assertCloseGradients(adapter, Rows.of(found, adapter), gradients, 10 * model.tolerance()));
        }
    }

    static void rowsWithoutAnAdapterGiveWhatTheBaseGives(ContractModel model, List<TestedConfig> configs) {
        MixedBatch mixed = MixedBatch.of(model, configs, AdapterMethodContract.SEED);
        List<TestRow> alone =
                mixed.rows().stream().filter(row -> row.stack().isEmpty()).toList();
        List<double[]> base = Rows.logits(model, alone, null);

        for (List<TestRow> order : mixed.orders(AdapterMethodContract.SEED)) {
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

    static void keptKeysAndValuesGiveWhatWholeRowsGive(ContractModel model, List<TestedConfig> configs) {
        MixedBatch mixed = MixedBatch.of(model, configs, AdapterMethodContract.SEED);

        for (List<TestRow> order : mixed.orders(AdapterMethodContract.SEED)) {
            assertClose("token by token", CachedRows.logits(model, order), mixed.solo(order, null), model.tolerance());
        }
    }

    static void aLaterTokenChangesNoEarlierLogit(ContractCase c) {
        Subject adapter = c.randomised(AdapterMethodContract.SEED);
        List<TestRow> rows = TestRow.ragged(c.model(), AdapterMethodContract.SEED);
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

    static void paddingChangesNothing(ContractCase c) {
        Subject adapter = c.randomised(AdapterMethodContract.SEED);
        List<TestRow> rows = TestRow.ragged(c.model(), AdapterMethodContract.SEED);
        List<double[]> expected = Rows.logits(c.model(), adapter.on(rows), null);

        for (PaddedRows padded : PaddedRows.allSides(c.model(), rows, AdapterMethodContract.SEED)) {
            assertSameBits(padded.toString(), padded.logits(adapter), expected);
        }
    }
}
