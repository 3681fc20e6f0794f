package io.peftj.testkit.contract;

import io.peftj.core.run.Batch;
import io.peftj.core.run.Padded;
import io.peftj.core.run.Row;
import io.peftj.core.run.Run;
import io.peftj.core.run.Stack;
import io.peftj.core.tensor.CounterRandom;
import java.util.ArrayList;
import java.util.List;

/** Rows as other libraries hand them in: filled up to one length with tokens that mean nothing. */
final class PaddedRows {
    private final ContractModel model;
    private final List<TestRow> rows;
    private final String side;
    private final int width;
    private final long[] ids;
    private final long[] mask;

    private PaddedRows(ContractModel model, List<TestRow> rows, String side, int before, int after, long seed) {
        this.model = model;
        this.rows = rows;
        this.side = side;
        int longest = rows.stream().mapToInt(row -> row.ids().size()).max().orElseThrow();
        this.width = longest + before + after;
        this.ids = new long[rows.size() * width];
        this.mask = new long[ids.length];
        CounterRandom filler = CounterRandom.of(CounterRandom.key(seed, side));
        for (int i = 0; i < ids.length; i++) {
            ids[i] = filler.nextInt(model.spec().vocabulary());
        }
        for (int r = 0; r < rows.size(); r++) {
            int[] tokens = rows.get(r).tokens();
            int begin = side.equals("left") ? width - after - tokens.length : before;
            for (int t = 0; t < tokens.length; t++) {
                ids[r * width + begin + t] = tokens[t];
                mask[r * width + begin + t] = 1;
            }
        }
    }

    /** The same rows padded on either side or both, by little and by much. */
    static List<PaddedRows> allSides(ContractModel model, List<TestRow> rows, long seed) {
        return List.of(
                new PaddedRows(model, rows, "right", 0, 0, seed),
                new PaddedRows(model, rows, "left", 0, 0, seed),
                new PaddedRows(model, rows, "both", 3, 40, seed));
    }

    List<double[]> logits(Subject adapter) {
        Padded padded = Padded.of(width, mask);
        return Rows.inSession(model, session -> {
            Stack stack = Stack.of(Rows.active(adapter, adapter.tensors(session)));
            List<Row> real = new ArrayList<>();
            for (int r = 0; r < rows.size(); r++) {
                real.add(padded.row(r, ids, null, stack).prompted(rows.get(r).prompt(model)));
            }
            Batch batch = Batch.of(session, model.spec(), real);
            return Rows.inCallersOrder(batch, model.logits(new Run(session, batch, null)));
        });
    }

    @Override
    public String toString() {
        return "padded on the " + side + " to " + width;
    }
}
