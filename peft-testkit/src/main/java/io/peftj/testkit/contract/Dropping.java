package io.peftj.testkit.contract;

import static io.peftj.testkit.contract.Bits.assertSameBits;
import static io.peftj.testkit.contract.Closeness.distance;
import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.core.run.Training;
import java.util.List;

/** What dropout draws. The rules are {@link AdapterMethodContract}'s. */
final class Dropping {
    private Dropping() {}

    static void dropoutIsDrawnAgainByTheSameKeys(ContractCase c) {
        List<TestRow> rows =
                c.randomised(AdapterMethodContract.SEED).on(TestRow.ragged(c.model(), AdapterMethodContract.SEED));
        List<double[]> first = Rows.logits(c.model(), rows, new Training(AdapterMethodContract.SEED, 1));

        assertSameBits(
                "the same step", Rows.logits(c.model(), rows, new Training(AdapterMethodContract.SEED, 1)), first);
        assertThat(distance(Rows.logits(c.model(), rows, new Training(AdapterMethodContract.SEED, 2)), first))
                .as("another step")
                .isPositive();
        assertThat(distance(Rows.logits(c.model(), rows, new Training(AdapterMethodContract.SEED + 1, 1)), first))
                .as("another seed")
                .isPositive();
        assertThat(distance(Rows.logits(c.model(), rows, null), first))
                .as("inference")
                .isPositive();
    }

    static void dropoutKeepsTheMean(ContractCase c) {
        int draws = 64;
        List<TestRow> rows = c.initial(AdapterMethodContract.SEED)
                .moved(0.02, AdapterMethodContract.SEED)
                .on(TestRow.ragged(c.model(), AdapterMethodContract.SEED).subList(0, 2));
        List<double[]> without = Rows.logits(c.model(), rows, null);
        List<double[]> mean =
                without.stream().map(row -> new double[row.length]).toList();
        double deviation = 0;
        for (int step = 0; step < draws; step++) {
            List<double[]> one = Rows.logits(c.model(), rows, new Training(AdapterMethodContract.SEED, step));
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
}
