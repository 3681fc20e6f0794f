package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.tensor.CounterRandom;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class BatchingTest {
    private static final int[] LENGTHS =
            IntStream.range(0, 500).map(i -> 1 + i * 7 % 40).toArray();

    private static List<Batching> ways() {
        return List.of(Batching.rows(32), Batching.tokens(64), Batching.tokens(1));
    }

    @ParameterizedTest
    @MethodSource("ways")
    void everyExampleComesOnceAnEpochInAnOrderOfItsOwn(Batching batching) {
        List<List<Integer>> first = batching.batches(LENGTHS, CounterRandom.of(1));
        assertThat(first.stream().flatMap(List::stream))
                .containsExactlyInAnyOrderElementsOf(
                        IntStream.range(0, 500).boxed().toList());
        assertThat(batching.batches(LENGTHS, CounterRandom.of(1))).isEqualTo(first);
        assertThat(batching.batches(LENGTHS, CounterRandom.of(2))).isNotEqualTo(first);
    }

    @Test
    void rowsGiveBatchesOfOneSizeAndARest() {
        List<List<Integer>> batches = Batching.rows(32).batches(LENGTHS, CounterRandom.of(1));
        assertThat(batches).hasSize(16);
        assertThat(batches.subList(0, 15)).allSatisfy(batch -> assertThat(batch).hasSize(32));
        assertThat(batches.get(15)).hasSize(20);
    }

    @Test
    void tokensLimitBatches() {
        assertThat(Batching.tokens(64).batches(LENGTHS, CounterRandom.of(1)))
                .allSatisfy(batch -> assertThat(
                                batch.stream().mapToInt(i -> LENGTHS[i]).sum())
                        .isLessThanOrEqualTo(64));
    }

    @Test
    void refusesBatchesOfNothing() {
        assertThatThrownBy(() -> Batching.rows(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("rows of a batch: expected at least 1, found 0");
    }
}
