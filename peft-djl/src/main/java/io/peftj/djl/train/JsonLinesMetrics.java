package io.peftj.djl.train;

import com.google.gson.JsonObject;
import io.peftj.core.PeftException;
import io.peftj.core.io.Json;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;

/**
 * Writes what happens in a training run to a file, one JSON object a line: "event" tells start, resume, step, checkpoint, evaluation, measurement,
 * epoch and end apart; durations are in seconds.
 *
 * <p>A file that is there already is continued, so that a run in several parts has one file; where a run was resumed, steps after its checkpoint occur
 * again. Every line is on disk before training goes on.
 */
public final class JsonLinesMetrics implements TrainingListener {
    private final Path file;

    private JsonLinesMetrics(Path file) {
        this.file = file;
    }

    /** Writes to a file. */
    public static JsonLinesMetrics to(Path file) {
        return new JsonLinesMetrics(file);
    }

    @Override
    public void onStart(TrainingEvent.Start event) {
        JsonObject line = line("start");
        line.addProperty("method", event.method());
        line.addProperty("trainable", event.trainable());
        line.addProperty("examples", event.examples());
        line.addProperty("validation_examples", event.validationExamples());
        line.addProperty("epochs", event.epochs());
        line.addProperty("steps", event.steps());
        append(line);
    }

    @Override
    public void onResume(TrainingEvent.Resumed event) {
        JsonObject line = line("resume");
        line.addProperty("step", event.step());
        line.addProperty("epoch", event.epoch());
        append(line);
    }

    @Override
    public void onStep(TrainingEvent.Step event) {
        JsonObject line = line("step");
        line.addProperty("step", event.step());
        line.addProperty("epoch", event.epoch());
        line.addProperty("loss", event.loss());
        line.addProperty("learning_rate", event.learningRate());
        line.addProperty("gradient_norm", event.gradientNorm());
        line.addProperty("tokens_per_second", event.tokensPerSecond());
        line.addProperty("examples_per_second", event.examplesPerSecond());
        line.addProperty("elapsed", seconds(event.elapsed()));
        line.addProperty("remaining", seconds(event.remaining()));
        line.addProperty("native_bytes", event.nativeBytes());
        append(line);
    }

    @Override
    public void onEvaluation(TrainingEvent.Evaluated event) {
        JsonObject line = line("evaluation");
        line.addProperty("epoch", event.epoch());
        line.addProperty("step", event.step());
        line.addProperty("loss", event.result().loss());
        event.result().scores().forEach((metric, value) -> addFinite(line, metric.name(), value));
        line.addProperty("best", event.best());
        append(line);
    }

    @Override
    public void onMeasurement(TrainingEvent.Measured event) {
        JsonObject line = line("measurement");
        line.addProperty("epoch", event.epoch());
        line.addProperty("step", event.step());
        event.values().forEach((name, value) -> addFinite(line, name, value));
        append(line);
    }

    @Override
    public void onEpoch(TrainingEvent.Epoch event) {
        JsonObject line = line("epoch");
        line.addProperty("epoch", event.epoch());
        line.addProperty("loss", event.loss());
        line.addProperty("elapsed", seconds(event.elapsed()));
        append(line);
    }

    @Override
    public void onCheckpoint(TrainingEvent.Saved event) {
        JsonObject line = line("checkpoint");
        line.addProperty("step", event.step());
        append(line);
    }

    @Override
    public void onEnd(TrainingEvent.End event) {
        JsonObject line = line("end");
        line.addProperty("reason", event.reason().name().toLowerCase(Locale.ROOT));
        line.addProperty("steps", event.steps());
        line.addProperty("elapsed", seconds(event.elapsed()));
        append(line);
    }

    private static JsonObject line(String event) {
        JsonObject line = new JsonObject();
        line.addProperty("event", event);
        return line;
    }

    /** JSON has no infinity, which is the perplexity of a loss of more than 709. */
    private static void addFinite(JsonObject line, String name, double value) {
        if (Double.isFinite(value)) {
            line.addProperty(name, value);
        }
    }

    private static double seconds(Duration duration) {
        return duration.toMillis() / 1e3;
    }

    private void append(JsonObject line) {
        // A stream, since Java closes channels under a thread that is interrupted, which is one way to cancel a
        // training.
        try (OutputStream out = new FileOutputStream(file.toFile(), true)) {
            out.write((Json.writeCompact(line) + '\n').getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new PeftException(
                    "the metrics could not be written to " + file.getFileName() + ": " + e.getMessage()
                            + "; check that its folder exists and has room",
                    e);
        }
    }
}
