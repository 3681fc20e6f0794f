package io.peftj.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.PeftException;
import io.peftj.core.run.Batch;
import io.peftj.core.run.Run;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.Session;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** Whether rows stand behind an adapter's virtual tokens, and how many of the model's positions are left to them. */
final class Positions {
    private Positions() {}

    static void check(Subject adapter, List<TestRow> rows) {
        int shift = adapter.plan().positionShift();
        assertThat(positions(adapter, adapter.on(rows)))
                .isEqualTo(shifted(rows, shift, adapter.plan().virtualTokens()));
        rowsThatDoNotFitAreRefused(adapter, shift);
        if (adapter.standsBefore()) {
            keysAreThoseOfRowsBehindOthers(adapter, rows, shift);
        }
    }

    private static List<List<Long>> positions(Subject adapter, List<TestRow> rows) {
        return Rows.inSession(adapter.model(), session -> {
            Batch batch = batch(session, adapter, rows);
            List<List<Long>> positions = new ArrayList<>(Collections.nCopies(rows.size(), List.of()));
            for (int row = 0; row < rows.size(); row++) {
                List<Long> ofRow = new ArrayList<>();
                for (int t = batch.layout().begin(row); t < batch.layout().begin(row + 1); t++) {
                    ofRow.add(batch.positions().values()[t]);
                }
                positions.set(batch.callersRow(row), ofRow);
            }
            return positions;
        });
    }

    private static List<List<Long>> shifted(List<TestRow> rows, int shift, int virtual) {
        List<List<Long>> positions = new ArrayList<>();
        for (TestRow row : rows) {
            List<Long> ofRow = new ArrayList<>();
            for (int t = -virtual; t < row.ids().size(); t++) {
                ofRow.add((long) shift + t);
            }
            positions.add(ofRow);
        }
        return positions;
    }

    private static void rowsThatDoNotFitAreRefused(Subject adapter, int shift) {
        int most = adapter.model().spec().positions() - shift;
        TestRow fits = new TestRow(Collections.nCopies(most, 0), 0, List.of(adapter));
        TestRow isTooLong = new TestRow(Collections.nCopies(most + 1, 0), 0, List.of(adapter));

        assertThat(positions(adapter, List.of(fits)).get(0))
                .hasSize(most + adapter.plan().virtualTokens())
                .endsWith(adapter.model().spec().positions() - 1L);
        assertThatThrownBy(() -> positions(adapter, List.of(isTooLong)))
                .isInstanceOf(PeftException.class)
                .hasMessageContaining("row 0 has " + (most + 1) + " tokens" + (shift == 0 ? "" : " after " + shift))
                .hasMessageContaining(
                        "the model takes at most " + adapter.model().spec().positions());
    }

    /** Before the first attention only the position can tell a row with a prefix from one of the base: its keys must be the same. */
    private static void keysAreThoseOfRowsBehindOthers(Subject adapter, List<TestRow> rows, int shift) {
        CounterRandom random = CounterRandom.of(shift);
        for (TestRow row : rows) {
            List<Integer> behind = new ArrayList<>();
            for (int t = 0; t < shift; t++) {
                behind.add(random.nextInt(adapter.model().spec().vocabulary()));
            }
            behind.addAll(row.ids());
            double[] expected =
                    last(row.ids().size(), behind.size(), firstKeys(adapter, new TestRow(behind, 0, List.of())));
            int tokens = row.ids().size() + adapter.plan().virtualTokens();
            double[] found = last(row.ids().size(), tokens, firstKeys(adapter, row.under(adapter)));
            Closeness.assertClose(
                    "keys of the first layer",
                    List.of(found),
                    List.of(expected),
                    adapter.model().tolerance());
        }
    }

    /** The values of the last tokens of some. */
    private static double[] last(int count, int tokens, double... values) {
        return Arrays.copyOfRange(values, values.length / tokens * (tokens - count), values.length);
    }

    private static double[] firstKeys(Subject adapter, TestRow row) {
        return Rows.inSession(adapter.model(), session -> {
            List<double[]> ofLayers = new ArrayList<>();
            Batch batch = batch(session, adapter, List.of(row));
            adapter.model().logits(new Run(session, batch, null, (layer, keys, values) -> {
                if (layer == 0) {
                    ofLayers.add(keys.toDoubles());
                }
            }));
            return ofLayers.get(0);
        });
    }

    private static Batch batch(Session session, Subject adapter, List<TestRow> rows) {
        return Rows.batch(session, adapter.model(), rows, same -> Rows.active(same, same.tensors(session)));
    }
}
