package io.peftj.benchmarks.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.peftj.benchmarks.report.BarChart.Bar;
import io.peftj.benchmarks.report.BarChart.Panel;
import io.peftj.benchmarks.report.BarChart.Scale;
import io.peftj.benchmarks.report.BarChart.Series;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BarChartTest {
    private static final int BLUE = 0x1f6fb4;
    private static final int ORANGE = 0xe08a2e;
    private static final int BAR = 100;

    @TempDir
    Path folder;

    /** Two groups; the second has one bar of two. */
    private static Panel panel(Scale scale) {
        return new Panel(
                "speed",
                List.of("lora", "ia3"),
                List.of(
                        new Series(
                                "ours",
                                new Color(BLUE),
                                List.of(new Bar(Spread.of(101, 102, 103), "102"), new Bar(Spread.of(81), "81"))),
                        new Series(
                                "theirs",
                                new Color(ORANGE),
                                List.of(new Bar(Spread.of(55, 60, 65), "60"), new Bar(null, "absent")))),
                scale);
    }

    private BufferedImage draw(Panel... panels) throws IOException {
        Path file = folder.resolve("speed.png");
        new BarChart(List.of("title", "machine"), List.of(panels)).write(file, 900, 300);
        return ImageIO.read(file.toFile());
    }

    @Test
    void thePictureHasTheAskedSizeAndABarForEachThatIsThere() throws IOException {
        BufferedImage image = draw(panel(Scale.LINEAR), panel(Scale.LOGARITHMIC));

        assertThat(image.getWidth()).isEqualTo(900);
        assertThat(image.getHeight()).isEqualTo(2 * 300 + 80);
        for (int panel = 0; panel < 2; panel++) {
            int top = 80 + panel * 300;
            assertThat(barsAcross(image, BLUE, top)).isEqualTo(2);
            assertThat(barsAcross(image, ORANGE, top)).isEqualTo(1);
        }
    }

    @Test
    void barsOfLogarithmicAxesDifferInHeightByTheirPowersOfTen() throws IOException {
        Series steps = new Series(
                "steps",
                new Color(BLUE),
                List.of(
                        new Bar(Spread.of(10), "10"),
                        new Bar(Spread.of(100), "100"),
                        new Bar(Spread.of(1000), "1000")));

        BufferedImage image = draw(new Panel("µs", List.of("a", "b", "c"), List.of(steps), Scale.LOGARITHMIC));

        List<Integer> tops = List.of(top(image, 0), top(image, 1), top(image, 2));
        assertThat(tops.get(0) - tops.get(1)).isCloseTo(tops.get(1) - tops.get(2), within(2));
        assertThat(tops.get(0) - tops.get(1)).isGreaterThan(20);
    }

    /** Where the bar in a third of the picture begins: its first long run of blue. */
    private static int top(BufferedImage image, int third) {
        int begin = 60 + third * 280;
        for (int y = 80; y < image.getHeight(); y++) {
            int length = 0;
            for (int x = begin; x < begin + 280; x++) {
                length = isColour(image, x, y, BLUE) ? length + 1 : 0;
                if (length == BAR) {
                    return y;
                }
            }
        }
        throw new AssertionError("no bar in third " + third);
    }

    /** The most bars that a row of pixels in a panel crosses: runs of a colour too long for a legend's mark or half a bar. */
    private static int barsAcross(BufferedImage image, int colour, int top) {
        int most = 0;
        for (int y = top; y < top + 300; y++) {
            int bars = 0;
            int length = 0;
            for (int x = 0; x < image.getWidth(); x++) {
                length = isColour(image, x, y, colour) ? length + 1 : 0;
                bars += length == BAR ? 1 : 0;
            }
            most = Math.max(most, bars);
        }
        return most;
    }

    private static boolean isColour(BufferedImage image, int x, int y, int colour) {
        return (image.getRGB(x, y) & 0xffffff) == colour;
    }
}
