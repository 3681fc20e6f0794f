package io.peftj.testkit.contract;

import io.peftj.core.run.ActiveAdapter;
import io.peftj.core.run.Batch;
import io.peftj.core.run.ResidentStacks;
import io.peftj.core.run.Row;
import io.peftj.core.run.Run;
import io.peftj.core.run.Stack;
import io.peftj.core.tensor.CacheLayout;
import io.peftj.core.tensor.KeyValueCache;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Runs rows through a decoder as generation does: their prompts at once, then a token a pass, with keys and values kept in between. */
final class CachedRows {
    private final ContractModel model;
    private final List<TestRow> rows;
    private final int[] seen;
    private final List<List<double[]>> logits = new ArrayList<>();

    private CachedRows(ContractModel model, List<TestRow> rows) {
        this.model = model;
        this.rows = rows;
        this.seen = new int[rows.size()];
        rows.forEach(row -> logits.add(new ArrayList<>()));
    }

    /** Each row's logits of all its tokens, in the order of the rows given. */
    static List<double[]> logits(ContractModel model, List<TestRow> rows) {
        int longest = rows.stream()
                .mapToInt(row -> row.ids().size() + virtualTokens(row))
                .max()
                .orElseThrow();
        Shape shape = Shape.of(
                rows.size(), model.spec().keyValueHeads(), longest, model.spec().headDim());
        CachedRows run = new CachedRows(model, rows);
        try (KeyValueCache cache =
                KeyValueCache.open(model.backend(), model.spec().layers(), shape, model.dtype())) {
            while (!run.open().isEmpty()) {
                run.pass(cache, run.open());
            }
        }
        return run.logits.stream()
                .map(parts -> parts.stream().flatMapToDouble(Arrays::stream).toArray())
                .toList();
    }

    private static int virtualTokens(TestRow row) {
        return row.stack().stream()
                .mapToInt(subject -> subject.plan().virtualTokens())
                .sum();
    }

    /** The rows that have tokens left. */
    private List<Integer> open() {
        List<Integer> open = new ArrayList<>();
        for (int row = 0; row < rows.size(); row++) {
            if (seen[row] < rows.get(row).ids().size()) {
                open.add(row);
            }
        }
        return open;
    }

    private void pass(KeyValueCache cache, List<Integer> open) {
        Rows.inSession(model, session -> {
            Map<Subject, ActiveAdapter> adapters = new HashMap<>();
            Map<List<Subject>, Stack> stacks = new HashMap<>();
            List<Row> laidOut = new ArrayList<>();
            for (int row : open) {
                Stack stack = stacks.computeIfAbsent(
                        rows.get(row).stack(),
                        subjects -> new Stack(subjects.stream()
                                .map(subject -> adapters.computeIfAbsent(
                                        subject, key -> Rows.active(key, key.tensors(session))))
                                .toList()));
                laidOut.add(next(row, stack));
            }
            Batch batch = Batch.of(session, model.spec(), laidOut);
            int[] slots = new int[open.size()];
            Arrays.setAll(slots, r -> open.get(batch.callersRow(r)));
            int[] before =
                    IntStream.range(0, slots.length).map(batch::keptBefore).toArray();
            CacheLayout layout = CacheLayout.of(session, batch.layout(), slots, before);
            try (ResidentStacks stacked = new ResidentStacks(model.backend())) {
                List<Tensor> found = model.logits(Run.cached(session, batch, cache, layout, stacked));
                for (int r = 0; r < found.size(); r++) {
                    logits.get(slots[r]).add(found.get(r).toDoubles());
                    seen[slots[r]] += batch.rows().get(r).length();
                }
            }
            return true;
        });
    }

    private Row next(int row, Stack stack) {
        int[] ids = rows.get(row).tokens();
        int to = seen[row] == 0 ? rows.get(row).prompt(model) : seen[row] + 1;
        return Row.of(stack, rows.get(row).example(), Arrays.copyOfRange(ids, seen[row], to))
                .after(seen[row]);
    }
}
