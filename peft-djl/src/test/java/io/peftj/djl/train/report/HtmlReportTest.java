package io.peftj.djl.train.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.peftj.core.PeftException;
import io.peftj.core.io.Fingerprint;
import io.peftj.core.io.Json;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.train.AdapterTrainer;
import io.peftj.djl.train.Checkpoints;
import io.peftj.djl.train.Evaluation;
import io.peftj.djl.train.LabelledText;
import io.peftj.djl.train.Metric;
import io.peftj.djl.train.RunDescription;
import io.peftj.djl.train.Sentences;
import io.peftj.djl.train.TinyTraining;
import io.peftj.djl.train.TrainingEvent;
import io.peftj.djl.train.TrainingListener;
import io.peftj.methods.lora.LoraConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class HtmlReportTest extends TinyTraining {
    private static final LoraConfig LORA = LoraConfig.builder().rank(2).build();

    private Path file() {
        return folder.resolve("report.html");
    }

    private static AdapterTrainer<LabelledText> trainer(Backbone base) {
        return opinions(base, LORA).epochs(3);
    }

    private static JsonObject data(Path file) throws IOException {
        return Json.parse(Page.data(Files.readString(file)), "the report");
    }

    @Test
    void aRunIsDrawnOnOnePageThatNeedsNothingElse() throws IOException {
        try (Backbone base = bert()) {
            trainer(base)
                    .listener(HtmlReport.to(file()).title("opinions").fact("data", "opinions.csv"))
                    .fit(Sentences.opinions(), Sentences.opinions());
        }
        String page = Files.readString(file());
        WellFormed.check(page);
        assertThat(page)
                .contains(
                        "<title>opinions</title>",
                        ">Completed<",
                        "<h3>Loss</h3>",
                        "<h3>Validation accuracy</h3>",
                        "<h3>Gradient norm</h3>",
                        "<h3>Learning rate</h3>",
                        "<h3>Speed</h3>",
                        "<h3>Memory</h3>",
                        "of 15; 3 of 3 epochs",
                        "<dt>optimizer.learningRate</dt><dd>0.01</dd>",
                        "<dt>data</dt><dd>opinions.csv</dd>",
                        "<dt>threads</dt><dd>1</dd>",
                        "aria-label=\"Loss; training: from ")
                .doesNotContain("http://", "https://", "src=", "href=", "@import", "url(");
        JsonObject data = data(file());
        assertThat(data.getAsJsonArray("steps")).hasSize(15);
        assertThat(data.getAsJsonArray("evaluations")).hasSize(3);
        assertThat(data.getAsJsonArray("epochs").toString()).isEqualTo("[5,10,15]");
    }

    /** Nothing that a user or a file brings along can end the place it stands in. */
    @Test
    void textsFromElsewhereStayTexts() throws IOException {
        String attack = "</title></script><script>alert(1)</script>\"'&";
        HtmlReport report = HtmlReport.to(file()).title(attack).fact(attack, attack);
        RunDescription run = new RunDescription(
                Map.of(attack, attack, "task.labels", "[\"" + attack + "\"]"),
                Map.of("library", attack, "device", attack),
                Fingerprint.compute(attack, Map.of(attack, 1), Map.of()));

        report.onStart(new TrainingEvent.Start(attack, 1, 1, 0, 1, 1, run));
        report.onStep(step(1, 1, 0.5));
        report.onEnd(new TrainingEvent.End(TrainingEvent.Reason.FAILED, 1, Duration.ZERO));

        String page = Files.readString(file());
        WellFormed.check(page);
        assertThat(page).doesNotContain("<script>alert", "</title></script>").contains("&lt;script&gt;alert(1)");
        assertThat(data(file()).getAsJsonObject("settings").get(attack).getAsString())
                .isEqualTo(attack);
    }

    @Test
    void aLongRunStaysSmallAndKeepsItsExtremes() throws IOException {
        HtmlReport report = HtmlReport.to(file());
        report.onStart(start(100_000));
        for (int step = 1; step <= 100_000; step++) {
            report.onStep(step(step, 100_000, step == 77_777 ? 42 : 1.0 / step));
        }
        report.onEnd(new TrainingEvent.End(TrainingEvent.Reason.COMPLETED, 100_000, Duration.ofHours(9)));

        assertThat(Files.size(file())).isLessThan(400_000);
        assertThat(data(file()).getAsJsonArray("steps").asList())
                .hasSizeLessThanOrEqualTo(Buckets.MOST)
                .anySatisfy(bucket -> {
                    assertThat(bucket.getAsJsonObject().get("first").getAsLong())
                            .isLessThanOrEqualTo(77_777);
                    assertThat(bucket.getAsJsonObject()
                                    .getAsJsonArray("LOSS")
                                    .get(1)
                                    .getAsDouble())
                            .isEqualTo(42);
                });
        assertThat(Files.readString(file())).contains("training, range and mean of 256 steps");
    }

    @Test
    void theReportOfAResumedRunHasAllOfIt() throws IOException {
        Checkpoints checkpoints = Checkpoints.in(folder.resolve("checkpoints")).everySteps(2);
        try (Backbone base = bert()) {
            trainer(base)
                    .listener(HtmlReport.to(folder.resolve("whole.html")))
                    .fit(Sentences.opinions(), Sentences.opinions());
            for (long step : new long[] {4, 5, 9}) {
                assertThatThrownBy(() -> trainer(base)
                                .checkpoints(checkpoints.resume())
                                .listener(HtmlReport.to(file()))
                                .listener(failingAfter(step))
                                .fit(Sentences.opinions(), Sentences.opinions()))
                        .hasMessage("power cut");
            }
            trainer(base)
                    .checkpoints(checkpoints.resume())
                    .listener(HtmlReport.to(file()))
                    .fit(Sentences.opinions(), Sentences.opinions());
        }
        assertThat(numbers(file())).isEqualTo(numbers(folder.resolve("whole.html")));
        assertThat(Files.readString(file())).contains(">Completed<").doesNotContain("not in this report");
    }

    @Test
    void stepsThatNoReportWasWrittenOfAreSaidToBeMissing() throws IOException {
        Checkpoints checkpoints = Checkpoints.in(folder.resolve("checkpoints")).everySteps(4);
        Files.writeString(file(), "<html>something else</html>");
        try (Backbone base = bert()) {
            assertThatThrownBy(() -> trainer(base)
                            .checkpoints(checkpoints)
                            .listener(failingAfter(5))
                            .fit(Sentences.opinions()))
                    .hasMessage("power cut");
            trainer(base)
                    .checkpoints(checkpoints.resume())
                    .listener(HtmlReport.to(file()))
                    .fit(Sentences.opinions());
        }
        assertThat(Files.readString(file()))
                .contains("The run was resumed; 5 steps before the interruption are not in this report");
        assertThat(data(file()).getAsJsonArray("steps")).hasSize(10);
    }

    @Test
    void anEvaluationThatOverflowedIsShown() throws IOException {
        HtmlReport report = HtmlReport.to(file());
        report.onStart(start(1));
        report.onStep(step(1, 1, 800));
        report.onEvaluation(new TrainingEvent.Evaluated(
                1, 1, new Evaluation(800, 4, Map.of(Metric.PERPLEXITY, Double.POSITIVE_INFINITY)), true));
        report.onEnd(new TrainingEvent.End(TrainingEvent.Reason.STOPPED_EARLY, 1, Duration.ofSeconds(3)));
        assertThat(Files.readString(file())).contains(">Stopped early<", "<td>∞</td>");
        assertThat(data(file())
                        .getAsJsonArray("evaluations")
                        .get(0)
                        .getAsJsonObject()
                        .getAsJsonObject("scores")
                        .get("perplexity")
                        .isJsonNull())
                .isTrue();
    }

    @Test
    void aPlaceThatCannotBeWrittenEndsTheTraining() throws IOException {
        Path notAFolder = Files.writeString(folder.resolve("file"), "");
        try (Backbone base = bert()) {
            assertThatThrownBy(() -> trainer(base)
                            .listener(HtmlReport.to(notAFolder.resolve("report.html")))
                            .fit(Sentences.opinions()))
                    .isInstanceOf(PeftException.class)
                    .hasMessageContaining("could not be written");
        }
    }

    private static TrainingListener failingAfter(long step) {
        return new TrainingListener() {
            @Override
            public void onCheckpoint(TrainingEvent.Saved event) {
                if (event.step() >= step) {
                    throw new IllegalStateException("power cut");
                }
            }
        };
    }

    private static TrainingEvent.Start start(long steps) {
        RunDescription run = new RunDescription(Map.of(), Map.of(), Fingerprint.compute("tiny", Map.of(), Map.of()));
        return new TrainingEvent.Start("LORA", 10, 100, 4, 1, steps, run);
    }

    private static TrainingEvent.Step step(long step, long steps, double loss) {
        Duration took = Duration.ofMillis(20);
        return new TrainingEvent.Step(
                step, steps, 1, loss, 1e-3, 0.7, 512, took, 25_600, 3, took.multipliedBy(step), Duration.ZERO, 1, 2);
    }

    /** What does not depend on the clock. */
    private static List<String> numbers(Path file) throws IOException {
        List<String> numbers = new ArrayList<>();
        JsonObject data = data(file);
        for (JsonElement step : data.getAsJsonArray("steps")) {
            for (String name : List.of("first", "last", "LOSS", "LEARNING_RATE", "GRADIENT_NORM")) {
                numbers.add(name + " " + step.getAsJsonObject().get(name));
            }
        }
        numbers.add(data.get("evaluations").toString());
        numbers.add(data.get("epochs").toString());
        return numbers;
    }
}
