package io.peftj.testkit.contract;

import io.peftj.core.tensor.CounterRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** A row of tokens and the adapters on it. */
record TestRow(List<Integer> ids, long example, List<Subject> stack) {
    /** Lengths of the rows that tests use: two alike, one of a single token. */
    private static final List<Integer> LENGTHS = List.of(5, 2, 7, 5, 1);

    /** Ragged rows of the base model. */
    static List<TestRow> ragged(ContractModel model, long seed) {
        CounterRandom random = CounterRandom.of(CounterRandom.key(seed, "rows"));
        return IntStream.range(0, LENGTHS.size())
                .mapToObj(row -> {
                    int[] ids = new int[LENGTHS.get(row)];
                    Arrays.setAll(ids, i -> random.nextInt(model.spec().vocabulary()));
                    return new TestRow(Arrays.stream(ids).boxed().toList(), 100 * seed + row, List.of());
                })
                .toList();
    }

    TestRow withLastToken(int id) {
        List<Integer> others = new ArrayList<>(ids);
        others.set(ids.size() - 1, id);
        return new TestRow(others, example, stack);
    }

    TestRow under(Subject... adapters) {
        return new TestRow(ids, example, List.of(adapters));
    }

    /** How many tokens are the prompt: of a language model's row the first half, else all. */
    int prompt(ContractModel model) {
        boolean goesOn = model.spec().decoder() && model.spec().head() == null;
        return goesOn ? (ids.size() + 1) / 2 : ids.size();
    }

    int[] tokens() {
        return ids.stream().mapToInt(Integer::intValue).toArray();
    }
}
