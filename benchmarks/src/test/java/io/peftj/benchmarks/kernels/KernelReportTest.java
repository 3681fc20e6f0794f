package io.peftj.benchmarks.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import io.peftj.benchmarks.report.Machine;
import io.peftj.benchmarks.report.Spread;
import io.peftj.core.io.Json;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelReportTest {
    @TempDir
    Path folder;

    private final KernelReport report = new KernelReport(
            new Machine("a processor", 2, 24, "a system", "a JDK"),
            List.of(
                    new KernelScore("product", "F32", 8, 1, Spread.of(3.25, 3.5, 4)),
                    new KernelScore("product", "BF16", 8, 1, Spread.of(120)),
                    new KernelScore("attention", "F32", 512, 1, Spread.of(1500.4))));

    @Test
    void theTableHasARowForEachKernelAndSizeAndAColumnForEachFormat() {
        assertThat(report.table().lines().map(line -> line.replaceAll(" +", " ")))
                .containsExactly(
                        "| kernel | tokens | threads | F32, µs a call | BF16, µs a call |",
                        report.table().lines().skip(1).findFirst().orElseThrow(),
                        "| product | 8 | 1 | 3.5 (3.3–4.0) | 120 (120–120) |",
                        "| attention | 512 | 1 | 1500 (1500–1500) | |");
    }

    @Test
    void theFileNamesTheMachineAndHasEveryScore() {
        Path file = folder.resolve("kernels.json");

        report.writeJson(file);

        JsonObject json = Json.read(file);
        assertThat(json.getAsJsonObject("machine").get("processor").getAsString())
                .isEqualTo("a processor");
        assertThat(json.getAsJsonObject("versions").keySet()).containsExactlyInAnyOrder("peftj", "jmh");
        assertThat(json.getAsJsonArray("results")).hasSize(3);
        JsonObject first = json.getAsJsonArray("results").get(0).getAsJsonObject();
        assertThat(first.get("kernel").getAsString()).isEqualTo("product");
        assertThat(first.getAsJsonObject("us_per_call").get("median").getAsDouble())
                .isEqualTo(3.5);
    }

    @Test
    void thePictureHasAPanelForEachSize() throws IOException {
        Path file = folder.resolve("kernels.png");

        report.draw(file);

        BufferedImage image = ImageIO.read(file.toFile());
        assertThat(image.getWidth()).isEqualTo(1600);
        assertThat(image.getHeight()).isEqualTo(3 * 24 + 32 + 2 * 420);
    }
}
