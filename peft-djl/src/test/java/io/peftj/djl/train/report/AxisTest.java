package io.peftj.djl.train.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AxisTest {
    private static List<String> texts(Axis axis) {
        return axis.ticks().stream().map(axis.text()::apply).toList();
    }

    @Test
    void ticksAreAtRoundNumbersAroundTheValues() {
        assertThat(texts(Axis.linear(0.13, 2.62, Texts::number))).containsExactly("0", "1", "2", "3");
        assertThat(texts(Axis.linear(0.484, 0.802, Texts::number)))
                .containsExactly("0.4", "0.5", "0.6", "0.7", "0.8", "0.9");
        assertThat(texts(Axis.linear(0, 3e-4, Texts::number))).containsExactly("0", "1e-4", "2e-4", "3e-4");
        assertThat(texts(Axis.linear(-3, 5, Texts::number))).containsExactly("-4", "-2", "0", "2", "4", "6");
        assertThat(texts(Axis.steps(1, 128, Texts::count))).containsExactly("20", "40", "60", "80", "100", "120");
        assertThat(texts(Axis.steps(1, 3, Texts::count))).containsExactly("1", "2", "3");
        assertThat(texts(Axis.logarithmic(0.02, 300, Texts::number)))
                .containsExactly("0.01", "0.1", "1", "10", "100", "1,000");
        assertThat(texts(Axis.ofUnits(900 << 20, 1 << 20, Texts::bytes)))
                .containsExactly("0 MiB", "250 MiB", "500 MiB", "750 MiB", "1,000 MiB");
    }

    @Test
    void placesRunFromZeroToOne() {
        Axis linear = Axis.linear(0.5, 3.7, Texts::number);
        Axis logarithmic = Axis.logarithmic(1, 100, Texts::number);
        assertThat(linear.place(linear.from())).isZero();
        assertThat(linear.place(linear.to())).isEqualTo(1);
        assertThat(logarithmic.place(10)).isCloseTo(0.5, within(1e-12));
        assertThat(logarithmic.place(0)).isZero();
    }

    @Test
    void everyRangeHasAFewTicksAndRoomForItsValues() {
        long seed = System.nanoTime();
        System.out.println("AxisTest: seed " + seed);
        Random random = new Random(seed);
        for (int i = 0; i < 2_000; i++) {
            double size = Math.pow(10, random.nextInt(20) - 10);
            double least = (random.nextDouble() - 0.5) * size;
            double greatest = i % 10 == 0 ? least : least + random.nextDouble() * size;
            Axis axis = Axis.linear(least, greatest, Texts::number);
            assertThat(axis.ticks()).as("%s to %s", least, greatest).hasSizeBetween(2, 8);
            assertThat(axis.place(least)).as("%s to %s", least, greatest).isBetween(-1e-6, 1.0);
            assertThat(axis.place(greatest)).as("%s to %s", least, greatest).isBetween(0.0, 1 + 1e-6);
        }
        for (long last = 1; last < 1_000_000; last = last * 3 + 1) {
            assertThat(Axis.steps(1, last, Texts::count).ticks()).hasSizeBetween(1, 9);
        }
    }
}
