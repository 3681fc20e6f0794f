package io.peftj.testkit.contract;

import io.peftj.core.run.Training;
import io.peftj.core.tensor.CounterRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Rows of all kinds at once: of the base, of an adapter of each configuration, of a second adapter of the first one, and of two adapters together.
 */
record MixedBatch(ContractModel model, List<TestRow> rows) {
    static MixedBatch of(ContractModel model, List<TestedConfig> configs, long seed) {
        List<Subject> adapters = new ArrayList<>();
        for (TestedConfig tested : configs) {
            adapters.add(Subject.randomised(model, tested.name(), tested.config(), seed));
        }
        TestedConfig first = configs.get(0);
        adapters.add(Subject.randomised(model, first.name() + ", another", first.config(), seed + 1));

        List<List<Subject>> stacks = new ArrayList<>(List.of(List.of()));
        adapters.forEach(adapter -> stacks.add(List.of(adapter)));
        for (int i = 1; i < adapters.size(); i++) {
            if (!adapters.get(i - 1).standsBefore() || !adapters.get(i).standsBefore()) {
                stacks.add(List.of(adapters.get(i - 1), adapters.get(i)));
            }
        }
        List<TestRow> rows = new ArrayList<>();
        for (List<Subject> stack : stacks) {
            List<TestRow> ragged = TestRow.ragged(model, seed + rows.size());
            rows.add(ragged.get(rows.size() % 2).under(stack.toArray(Subject[]::new)));
            rows.add(ragged.get(2 + rows.size() % 3).under(stack.toArray(Subject[]::new)));
        }
        return new MixedBatch(model, rows);
    }

    /** The rows as they are, and shuffled. */
    List<List<TestRow>> orders(long seed) {
        int[] shuffled = CounterRandom.of(CounterRandom.key(seed, "order")).permutation(rows.size());
        return List.of(rows, Arrays.stream(shuffled).mapToObj(rows::get).toList());
    }

    private Map<List<Subject>, List<TestRow>> byStack() {
        Map<List<Subject>, List<TestRow>> byStack = new LinkedHashMap<>();
        rows.forEach(row ->
                byStack.computeIfAbsent(row.stack(), stack -> new ArrayList<>()).add(row));
        return byStack;
    }

    /** The rows' logits, each from a run with the rows of its own stack alone. */
    List<double[]> solo(List<TestRow> order, @Nullable Training training) {
        Map<TestRow, double[]> ofRow = new LinkedHashMap<>();
        byStack().forEach((stack, alike) -> {
            List<double[]> logits = Rows.logits(model, alike, training);
            for (int i = 0; i < logits.size(); i++) {
                ofRow.put(alike.get(i), logits.get(i));
            }
        });
        return order.stream().map(ofRow::get).toList();
    }

    /** Each adapter's gradients, summed over runs with one of its stacks alone. */
    Map<String, Map<String, double[]>> soloGradients(Training training) {
        Map<String, Map<String, double[]>> sums = new LinkedHashMap<>();
        byStack().forEach((stack, alike) -> {
            if (!stack.isEmpty()) {
                Rows.gradients(model, alike, training).forEach((adapter, gradients) -> {
                    Map<String, double[]> sum = sums.computeIfAbsent(adapter, name -> new LinkedHashMap<>());
                    gradients.forEach((parameter, gradient) -> sum.merge(parameter, gradient, MixedBatch::plus));
                });
            }
        });
        return sums;
    }

    private static double[] plus(double[] a, double[] b) {
        double[] sum = a.clone();
        Arrays.setAll(sum, i -> a[i] + b[i]);
        return sum;
    }
}
