package io.peftj.testkit.contract;

import io.peftj.core.tensor.CounterRandom;
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

    TestRow under(Subject... adapters) {
        return new TestRow(ids, example, List.of(adapters));
    }

    int[] tokens() {
        return ids.stream().mapToInt(Integer::intValue).toArray();
    }
}
