package io.peftj.djl.train.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BucketsTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, Buckets.MOST, Buckets.MOST + 1, 5_000, 100_000})
    void noExtremeAndNoStepIsLost(int steps) {
        long seed = System.nanoTime();
        System.out.println("BucketsTest: seed " + seed);
        Random random = new Random(seed);
        Buckets buckets = new Buckets();
        Stat whole = Stat.NONE;
        for (int step = 1; step <= steps; step++) {
            Stat stat = Stat.of(random.nextGaussian(), 1);
            whole = whole.and(stat);
            buckets.add(new Bucket(step, step, Map.of(Quantity.LOSS, stat)));
        }

        List<Bucket> all = buckets.all();
        Stat sum = all.stream().map(bucket -> bucket.stat(Quantity.LOSS)).reduce(Stat.NONE, Stat::and);
        assertThat(all).hasSizeBetween(Math.min(steps, Buckets.MOST / 2), Buckets.MOST);
        assertThat(sum.min()).isEqualTo(whole.min());
        assertThat(sum.max()).isEqualTo(whole.max());
        assertThat(sum.weight()).isEqualTo(steps);
        assertThat(sum.mean()).isCloseTo(whole.mean(), within(1e-9));
        long next = 1;
        for (Bucket bucket : all) {
            assertThat(bucket.first()).isEqualTo(next);
            assertThat(bucket.last() - bucket.first() + 1).isLessThanOrEqualTo(buckets.width());
            next = bucket.last() + 1;
        }
        assertThat(next).isEqualTo(steps + 1L);
    }

    @Test
    void speedsAreAveragedOverTime() {
        // 1000 tokens in one second and 1000 in four
        Stat both = Stat.of(1000, 1).and(Stat.of(250, 4));
        assertThat(both.mean()).isEqualTo(400);
    }
}
