package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class ScheduleTest {
    /** The peers' own formula: min((s + 1) / warm, max(0, (steps − s) / max(1, steps − warm))) with warm = max(1, int(.06·steps)). */
    @Test
    void linearDecayIsThatOfThePeers() {
        Schedule schedule = Schedule.linear().warmUp(0.06);
        for (int steps : new int[] {1, 2, 10, 100, 939}) {
            int warm = Math.max(1, (int) (.06 * steps));
            for (int s = 0; s < steps; s++) {
                double expected =
                        Math.min((s + 1.0) / warm, Math.max(0, (steps - s) / (double) Math.max(1, steps - warm)));
                assertThat(schedule.factor(s, steps)).isEqualTo(expected);
            }
        }
    }

    @Test
    void warmUpRisesInEqualSteps() {
        Schedule schedule = Schedule.constant().warmUpSteps(4);
        assertThat(schedule.factor(0, 100)).isEqualTo(0.25);
        assertThat(schedule.factor(2, 100)).isEqualTo(0.75);
        assertThat(schedule.factor(3, 100)).isEqualTo(1);
        assertThat(schedule.factor(99, 100)).isEqualTo(1);
    }

    @Test
    void cosineFallsAlongHalfAWave() {
        Schedule schedule = Schedule.cosine().warmUpSteps(10);
        assertThat(schedule.factor(10, 110)).isEqualTo(1);
        assertThat(schedule.factor(60, 110)).isEqualTo(0.5);
        assertThat(schedule.factor(109, 110)).isBetween(0.0, 0.001);
    }

    @Test
    void withoutWarmUpTheFirstStepIsAtFullHeight() {
        assertThat(Schedule.linear().factor(0, 10)).isEqualTo(1);
        assertThat(Schedule.constant().factor(0, 10)).isEqualTo(1);
    }

    @Test
    void refusesAShareThatIsNone() {
        assertThatThrownBy(() -> Schedule.linear().warmUp(6))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("expected 0 to below 1, found 6.0; for a number of steps use warmUpSteps");
    }
}
