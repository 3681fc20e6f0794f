package io.peftj.testkit.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.Shape;
import java.util.Arrays;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class CounterRandomTest {
    /** The reference implementation of SplitMix64 begins like this at seed 0; its first state is one increment on. */
    @Test
    void bitsAreThoseOfSplitMix64() {
        assertThat(Stream.iterate(1, i -> i + 1).limit(5).map(i -> CounterRandom.bits(0, i)))
                .containsExactly(
                        0xE220A8397B1DCDAFL,
                        0x6E789E6AA1B965F4L,
                        0x06C45D188009454FL,
                        0xF88BB8A8724C81ECL,
                        0x1B39896A51A8749BL);
    }

    @Test
    void streamsCountFromZero() {
        CounterRandom random = CounterRandom.of(42);
        assertThat(random.nextLong()).isEqualTo(CounterRandom.bits(42, 0));
        assertThat(random.nextLong()).isEqualTo(CounterRandom.bits(42, 1));
        assertThat(random.nextDouble()).isEqualTo((CounterRandom.bits(42, 2) >>> 11) * 0x1p-53);
    }

    /** Published values of 64-bit FNV-1a. */
    @Test
    void namesAreHashedByFnv1a() {
        assertThat(CounterRandom.key(5, "")).isEqualTo(CounterRandom.key(5, 0xCBF29CE484222325L));
        assertThat(CounterRandom.key(5, "a")).isEqualTo(CounterRandom.key(5, 0xAF63DC4C8601EC8CL));
        assertThat(CounterRandom.key(5, "foobar")).isEqualTo(CounterRandom.key(5, 0x85944171F73967E8L));
    }

    /** What is drawn must stay the same from release to release: a checkpoint resumes with it. */
    @Test
    void valuesStayTheSame() {
        assertThat(CounterRandom.key(1, 2)).isEqualTo(0x5F552CE482F2AA47L);
        assertThat(CounterRandom.key(1, "dropout")).isEqualTo(0xB831C9F5DF0EDB0FL);
        assertThat(CounterRandom.draw16(123, 456, 789)).isEqualTo(37876);
        assertThat(CounterRandom.of(7).permutation(8)).containsExactly(2, 6, 5, 7, 1, 4, 0, 3);
        assertThat(CounterRandom.of(7).nextGaussian()).isEqualTo(-0.29968042374920106);
        assertThat(CounterRandom.of(7).uniform(Shape.of(2), 0.5).values()).containsExactly(-0.4270296f, -0.11017025f);
        assertThat(CounterRandom.of(7).normal(Shape.of(2), 0.5).values()).containsExactly(-0.1498402f, 0.07469338f);
    }

    @Test
    void fourDrawsAreCutOutOfOneValue() {
        for (int first : new int[] {0, 4, 400}) {
            long joined = 0;
            for (int i = 3; i >= 0; i--) {
                joined = joined << 16 | CounterRandom.draw16(99, 7, first + i);
            }
            assertThat(joined).isEqualTo(CounterRandom.bits(99 ^ CounterRandom.mix(7), first / 4));
        }
    }

    @Test
    void drawsAreUniform() {
        int[] buckets = new int[16];
        for (int token = 0; token < 100; token++) {
            for (int feature = 0; feature < 640; feature++) {
                buckets[CounterRandom.draw16(CounterRandom.key(3, token), 5, feature) >> 12]++;
            }
        }
        // 4,000 expected in each bucket; the standard deviation is 61.
        assertThat(Arrays.stream(buckets)).allSatisfy(count -> assertThat(count).isBetween(3700, 4300));
    }

    @Test
    void drawsOfNeighboursAreUnrelated() {
        int equal = 0;
        for (int feature = 0; feature < 10_000; feature++) {
            boolean here = CounterRandom.draw16(1, 1, feature) < 32768;
            boolean otherToken = CounterRandom.draw16(2, 1, feature) < 32768;
            boolean otherSite = CounterRandom.draw16(1, 2, feature) < 32768;
            boolean nextFeature = CounterRandom.draw16(1, 1, feature + 1) < 32768;
            equal += (here == otherToken ? 1 : 0) + (here == otherSite ? 1 : 0) + (here == nextFeature ? 1 : 0);
        }
        // 15,000 expected; the standard deviation is 87.
        assertThat(equal).isBetween(14_600, 15_400);
    }

    @Test
    void doublesAreUniformAndGaussiansNormal() {
        CounterRandom random = CounterRandom.of(11);
        double[] uniform =
                DoubleStream.generate(random::nextDouble).limit(40_000).toArray();
        double[] normal =
                DoubleStream.generate(random::nextGaussian).limit(40_000).toArray();
        assertThat(Arrays.stream(uniform)).allMatch(x -> x >= 0 && x < 1);
        assertThat(mean(uniform)).isCloseTo(0.5, within(0.006));
        assertThat(mean(normal)).isCloseTo(0, within(0.02));
        assertThat(Arrays.stream(normal).map(x -> x * x).average().orElseThrow())
                .isCloseTo(1, within(0.03));
        assertThat(Arrays.stream(normal).filter(x -> x < -1).count() / 40_000.0).isCloseTo(0.1587, within(0.01));
    }

    private static double mean(double[] values) {
        return Arrays.stream(values).average().orElseThrow();
    }

    @Test
    void wholeNumbersStayInTheirBound() {
        CounterRandom random = CounterRandom.of(5);
        assertThat(IntStream.generate(() -> random.nextInt(6)).limit(600).boxed())
                .contains(0, 1, 2, 3, 4, 5)
                .allSatisfy(i -> assertThat(i).isBetween(0, 5));
    }

    @Test
    void permutationHoldsEachNumberOnceInEveryOrder() {
        for (int n = 0; n < 50; n++) {
            assertThat(CounterRandom.of(n).permutation(n))
                    .containsExactlyInAnyOrder(IntStream.range(0, n).toArray());
        }
        assertThat(IntStream.range(0, 200)
                        .mapToObj(seed -> Arrays.toString(CounterRandom.of(seed).permutation(3)))
                        .distinct())
                .hasSize(6);
    }
}
