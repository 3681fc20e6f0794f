package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.PeftException;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.io.Json;
import io.peftj.djl.backbone.Backbone;
import io.peftj.methods.lora.LoraConfig;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class ListenersTest extends TinyTraining {
    private static final LoraConfig LORA = LoraConfig.builder().rank(2).build();

    @Test
    void metricsAreAnObjectALine() throws IOException {
        Path file = folder.resolve("metrics.jsonl");
        try (Backbone base = bert()) {
            opinions(base, LORA)
                    .epochs(2)
                    .listener(JsonLinesMetrics.to(file))
                    .fit(Sentences.opinions(), Sentences.opinions());
        }
        List<ConfigReader> lines = Files.readAllLines(file).stream()
                .map(line -> ConfigReader.of(Json.parse(line, "metrics"), "metrics"))
                .toList();
        assertThat(lines)
                .extracting(line -> line.requiredString("event"))
                .containsExactly(
                        "start",
                        "step",
                        "step",
                        "step",
                        "step",
                        "step",
                        "evaluation",
                        "epoch",
                        "step",
                        "step",
                        "step",
                        "step",
                        "step",
                        "evaluation",
                        "epoch",
                        "end");
        assertThat(lines.get(0).requiredInt("steps")).isEqualTo(10);
        assertThat(lines.get(0).requiredString("method")).isEqualTo("LORA");
        assertThat(lines.get(5).requiredInt("step")).isEqualTo(5);
        assertThat(lines.get(5).requiredDouble("loss")).isPositive();
        assertThat(lines.get(5).requiredDouble("gradient_norm")).isPositive();
        assertThat(lines.get(5).requiredDouble("tokens_per_second")).isPositive();
        assertThat(lines.get(6).requiredDouble("accuracy")).isBetween(0.0, 1.0);
        assertThat(lines.get(6).requiredDouble("macro_f1")).isBetween(0.0, 1.0);
        assertThat(lines.get(15).requiredString("reason")).isEqualTo("completed");
    }

    @Test
    void metricsThatCannotBeWrittenEndTheTraining() {
        try (Backbone base = bert()) {
            assertThatThrownBy(() -> opinions(base, LORA)
                            .listener(JsonLinesMetrics.to(
                                    folder.resolve("missing").resolve("metrics.jsonl")))
                            .fit(Sentences.opinions()))
                    .isInstanceOf(PeftException.class)
                    .hasMessageContaining("could not be written to metrics.jsonl");
        }
    }

    @Test
    void metricsOfAnInterruptedTrainingAreWholeToo() throws IOException {
        Path file = folder.resolve("metrics.jsonl");
        TrainingListener interrupting = new TrainingListener() {
            @Override
            public void onStep(TrainingEvent.Step event) {
                Thread.currentThread().interrupt();
            }
        };
        try (Backbone base = bert()) {
            assertThatThrownBy(() -> opinions(base, LORA)
                            .listener(interrupting)
                            .listener(JsonLinesMetrics.to(file))
                            .fit(Sentences.opinions()))
                    .isInstanceOf(TrainingCancelledException.class);
        }
        assertThat(Thread.interrupted()).isTrue();
        assertThat(Files.readAllLines(file))
                .hasSize(3)
                .last()
                .asString()
                .contains("\"event\":\"end\"", "\"reason\":\"cancelled\"");
    }

    @Test
    void progressIsALineEveryTenthOfTheWay() {
        ByteArrayOutputStream shown = new ByteArrayOutputStream();
        try (Backbone base = bert()) {
            opinions(base, LORA)
                    .epochs(4)
                    .listener(ProgressBar.linesTo(new PrintStream(shown, true, StandardCharsets.UTF_8)))
                    .fit(Sentences.opinions(), Sentences.opinions());
        }
        List<String> lines = shown.toString(StandardCharsets.UTF_8).lines().toList();
        assertThat(lines.get(0)).startsWith("training LORA: ").contains("40 examples, 4 epochs, 20 steps");
        assertThat(lines)
                .filteredOn(line -> line.startsWith("["))
                .hasSize(10)
                .allSatisfy(
                        line -> assertThat(line)
                                .containsPattern(
                                        "^\\[=* *\\] \\d+/20  epoch \\d  loss \\d\\.\\d{4}  [\\d,]+ tokens/s  0:00:\\d\\d left$"));
        assertThat(lines)
                .filteredOn(line -> line.startsWith("epoch "))
                .hasSize(4)
                .allSatisfy(line -> assertThat(line)
                        .contains("validation loss")
                        .contains("accuracy")
                        .contains("macro f1"));
        assertThat(lines.get(lines.size() - 1)).startsWith("completed after 20 steps in 0:00:");
    }

    @Test
    void progressOnATerminalStaysInOneLine() {
        ByteArrayOutputStream shown = new ByteArrayOutputStream();
        try (Backbone base = bert()) {
            opinions(base, LORA)
                    .listener(ProgressBar.inPlaceOn(new PrintStream(shown, true, StandardCharsets.UTF_8)))
                    .fit(Sentences.opinions());
        }
        String text = shown.toString(StandardCharsets.UTF_8);
        assertThat(text.lines().toList().get(0)).startsWith("training");
        assertThat(text.split("\r\\[", -1)).hasSize(6);
    }
}
