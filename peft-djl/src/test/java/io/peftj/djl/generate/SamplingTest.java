package io.peftj.djl.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.PeftException;
import io.peftj.core.tensor.CounterRandom;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SamplingTest {
    private static final float[] LOGITS = {2.0f, -1.0f, 0.5f, 3.0f, 2.0f, -2.5f, 1.25f, 0.0f};
    private static final int[] IDS = {3, 1, 1, 6};

    /** What transformers 5.18 makes of these logits after these ids, by its own processors in the order of generate(). */
    static Stream<Arguments> transformers() {
        return Stream.of(
                Arguments.of(
                        Sampling.at(0.7),
                        new double[] {0.149134, 0.002053, 0.017496, 0.622296, 0.149134, 0.000241, 0.051081, 0.008565}),
                Arguments.of(Sampling.at(1).withTopK(3), new double[] {0.211942, 0, 0, 0.576117, 0.211942, 0, 0, 0}),
                // The second likeliest are two.
                Arguments.of(Sampling.at(1).withTopK(2), new double[] {0.211942, 0, 0, 0.576117, 0.211942, 0, 0, 0}),
                Arguments.of(Sampling.at(1).withTopP(0.8), new double[] {0.211942, 0, 0, 0.576117, 0.211942, 0, 0, 0}),
                Arguments.of(Sampling.at(1).withTopP(0.3), new double[] {0, 0, 0, 1, 0, 0, 0, 0}),
                Arguments.of(Sampling.at(1).withTopP(1e-6), new double[] {0, 0, 0, 1, 0, 0, 0, 0}),
                Arguments.of(
                        Sampling.at(1).withRepetitionPenalty(1.3),
                        new double[] {0.242675, 0.008951, 0.054148, 0.330106, 0.242675, 0.002696, 0.085907, 0.032842}),
                Arguments.of(
                        Sampling.at(0.8).withRepetitionPenalty(1.2).withTopK(5).withTopP(0.9),
                        new double[] {0.239804, 0, 0, 0.448013, 0.239804, 0, 0.072378, 0}),
                Arguments.of(
                        Sampling.at(2).withRepetitionPenalty(0.5).withTopP(0.95),
                        new double[] {0.086856, 0, 0.041028, 0.641783, 0.086856, 0, 0.111525, 0.031952}));
    }

    @ParameterizedTest
    @MethodSource("transformers")
    void distributionsAreThoseOfTransformers(Sampling sampling, double... expected) {
        assertThat(sampling.distribution(IDS, LOGITS)).containsExactly(expected, within(1e-6));
    }

    @Test
    void theTopPIsTheSameWithAndWithoutSortingAllTokens() {
        for (int seed = 0; seed < 50; seed++) {
            CounterRandom random = CounterRandom.of(seed);
            float[] logits = new float[200];
            for (int i = 0; i < logits.length; i++) {
                logits[i] = (float) (4 * random.nextGaussian());
            }
            double p = 0.05 + 0.9 * random.nextDouble();
            double[] all = Sampling.at(1).distribution(IDS, logits);

            double[] found = Sampling.at(1).withTopP(p).distribution(IDS, logits);

            int[] rising = IntStream.range(0, all.length)
                    .boxed()
                    .sorted((a, b) -> Double.compare(all[a], all[b]))
                    .mapToInt(Integer::intValue)
                    .toArray();
            double gone = 0;
            for (int id : rising) {
                gone += all[id];
                assertThat(found[id] == 0)
                        .as("seed %d, token %d", seed, id)
                        .isEqualTo(gone <= 1 - p && id != rising[rising.length - 1]);
            }
            assertThat(Arrays.stream(found).sum()).isCloseTo(1, within(1e-12));
        }
    }

    @Test
    void drawsFollowTheDistributionAndTheSeedAlone() {
        Sampling sampling = Sampling.at(1).withTopK(4);
        double[] expected = sampling.distribution(IDS, LOGITS);
        int draws = 20_000;
        double[] shares = new double[LOGITS.length];
        for (int seed = 0; seed < draws; seed++) {
            shares[sampling.withSeed(seed).choose(IDS, LOGITS.clone())] += 1.0 / draws;
        }
        assertThat(shares).containsExactly(expected, within(0.015));

        assertThat(sampling.withSeed(7).choose(IDS, LOGITS.clone()))
                .isEqualTo(sampling.withSeed(7).choose(IDS, LOGITS.clone()));
        // The same seed draws anew for each token.
        long distinct = IntStream.range(1, 40)
                .map(length -> sampling.withSeed(7).choose(new int[length], LOGITS.clone()))
                .distinct()
                .count();
        assertThat(distinct).isGreaterThan(1);
    }

    @Test
    void temperatureZeroIsTheLikeliestToken() {
        assertThat(Sampling.GREEDY.choose(IDS, LOGITS.clone())).isEqualTo(3);
        assertThat(Sampling.GREEDY.isGreedy()).isTrue();
        assertThat(Sampling.GREEDY.distribution(IDS, LOGITS)).containsExactly(0, 0, 0, 1, 0, 0, 0, 0);
        // Token 3 occurred: half of 3 is less than 2.
        Sampling penalised = Sampling.GREEDY.withRepetitionPenalty(2);
        assertThat(penalised.isGreedy()).isFalse();
        assertThat(penalised.choose(IDS, LOGITS.clone())).isZero();
    }

    @Test
    void settingsOutOfTheirRangeAreRefused() {
        refused(() -> Sampling.at(-1), "temperature: expected a number from 0, found -1.0");
        refused(() -> Sampling.at(Double.NaN), "temperature: expected a number from 0, found NaN");
        refused(() -> Sampling.at(1).withTopK(-1), "top k: expected a whole number from 0, found -1.0");
        refused(() -> Sampling.at(1).withTopP(0), "top p: expected a number above 0 and up to 1, found 0.0");
        refused(() -> Sampling.at(1).withTopP(1.5), "top p: expected a number above 0 and up to 1, found 1.5");
        refused(
                () -> Sampling.at(1).withRepetitionPenalty(0),
                "repetition penalty: expected a number above 0, found 0.0");
    }

    private static void refused(Runnable settings, String message) {
        assertThatThrownBy(settings::run)
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage(message);
    }

    @Test
    void logitsThatAreNoNumbersAreRefused() {
        float[] broken = {1, Float.POSITIVE_INFINITY, 2};
        for (Sampling sampling : new Sampling[] {Sampling.GREEDY, Sampling.at(1)}) {
            assertThatThrownBy(() -> sampling.choose(IDS.clone(), broken.clone()))
                    .isInstanceOf(PeftException.class)
                    .hasMessageContaining("greatest next-token logit is Infinity");
        }
    }
}
