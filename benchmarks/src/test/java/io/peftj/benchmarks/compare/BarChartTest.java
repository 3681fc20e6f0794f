package io.peftj.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BarChartTest {
    private static final int OURS = 0x1f6fb4;
    private static final int PEER = 0xe08a2e;
    private static final int BAR = 100;

    @TempDir
    Path folder;

    /** Two cases of two metrics and one that is not drawn; the second case lacks the peer. */
    private static Summary summary() {
        List<Run> runs = new ArrayList<>();
        for (int round = 1; round <= 3; round++) {
            runs.add(Run.of(Side.OURS, new Case("lora", "float32"), round, 1, line(100 + round)));
            runs.add(Run.of(Side.PEER, new Case("lora", "float32"), round, 1, line(50 + 5 * round)));
            runs.add(Run.of(Side.OURS, new Case("ia3", "float32"), round, 1, line(80 + round)));
        }
        runs.add(Run.absent(Side.PEER, new Case("ia3", "float32"), 1, "a reason"));
        return Summary.of(
                List.of(
                        Metric.more("speed", "tokens/s", 1),
                        Metric.less("memory", "MiB", 0),
                        Metric.less("other", "unseen", 0).notDrawn()),
                runs);
    }

    private static JsonObject line(double speed) {
        JsonObject line = new JsonObject();
        line.addProperty("speed", speed);
        line.addProperty("memory", 2 * speed);
        line.addProperty("other", 1);
        return line;
    }

    @Test
    void thePictureHasTheAskedSizeAndABarForEachSideThatIsThere() throws IOException {
        Path file = folder.resolve("speed.png");

        new BarChart(List.of("title", "machine"), summary()).write(file, 900, 300);

        BufferedImage image = ImageIO.read(file.toFile());
        assertThat(image.getWidth()).isEqualTo(900);
        assertThat(image.getHeight()).isEqualTo(2 * 300 + 80);
        for (int panel = 0; panel < 2; panel++) {
            int top = 80 + panel * 300;
            assertThat(barsAcross(image, OURS, top)).isEqualTo(2);
            assertThat(barsAcross(image, PEER, top)).isEqualTo(1);
        }
    }

    /** The most bars that a row of pixels in a panel crosses: runs of a colour too long for a legend's mark or half a bar. */
    private static int barsAcross(BufferedImage image, int colour, int top) {
        int most = 0;
        for (int y = top; y < top + 300; y++) {
            int bars = 0;
            int length = 0;
            for (int x = 0; x < image.getWidth(); x++) {
                length = (image.getRGB(x, y) & 0xffffff) == colour ? length + 1 : 0;
                bars += length == BAR ? 1 : 0;
            }
            most = Math.max(most, bars);
        }
        return most;
    }
}
