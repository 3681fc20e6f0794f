package io.peftj.djl.train.report;

import com.google.gson.JsonObject;
import io.peftj.core.io.AtomicFiles;
import io.peftj.core.io.Json;
import io.peftj.djl.train.ProcessMemory;
import io.peftj.djl.train.RunDescription;
import io.peftj.djl.train.TrainingEvent;
import io.peftj.djl.train.TrainingListener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Draws a training run on a web page: loss, learning rate, gradient norm, speed, memory, evaluations, settings and environment.
 *
 * <p>The page is one file of some hundred kilobytes however long the run is, needs nothing from elsewhere, and is there from the first step on: it is
 * replaced as a whole every ten seconds, more often after epochs and checkpoints, and at the end. A resumed run continues the page of its earlier parts. Of long
 * runs neighbouring steps are drawn as one, with their mean and their extremes.
 */
public final class HtmlReport implements TrainingListener {
    private static final Duration PAUSE = Duration.ofSeconds(10);
    private static final Duration SHORT_PAUSE = Duration.ofSeconds(1);
    private static final Duration BETWEEN_SAMPLES = Duration.ofMillis(50);

    private final Path file;
    private final Map<String, String> facts = new LinkedHashMap<>();
    private String title;

    private History history = new History();
    private TrainingEvent.@Nullable Start start;
    private TrainingEvent.@Nullable Step last;
    private Instant written = Instant.EPOCH;
    private Instant sampled = Instant.EPOCH;
    private double resident;

    private HtmlReport(Path file) {
        this.file = file;
        this.title = "";
    }

    /** Writes to a file, such as report.html. */
    public static HtmlReport to(Path file) {
        return new HtmlReport(file);
    }

    /** Names the run; otherwise it is called by its method. */
    public HtmlReport title(String text) {
        title = text;
        return this;
    }

    /** Adds something worth knowing that the trainer does not know, such as the name of a file of data. */
    public HtmlReport fact(String name, String value) {
        facts.put(name, value);
        return this;
    }

    @Override
    public void onStart(TrainingEvent.Start event) {
        start = event;
        history = new History();
    }

    @Override
    public void onResume(TrainingEvent.Resumed event) {
        if (start != null) {
            history = former(start.run());
        }
        history.resume(event);
    }

    @Override
    public void onStep(TrainingEvent.Step event) {
        last = event;
        history.add(event, resident());
        writeAfter(PAUSE);
    }

    @Override
    public void onEvaluation(TrainingEvent.Evaluated event) {
        history.add(event);
    }

    @Override
    public void onMeasurement(TrainingEvent.Measured event) {
        event.values()
                .forEach((name, value) -> fact(name.replace('_', ' '), String.format(Locale.ROOT, "%.4f", value)));
    }

    @Override
    public void onEpoch(TrainingEvent.Epoch event) {
        history.add(event);
        writeAfter(SHORT_PAUSE);
    }

    @Override
    public void onCheckpoint(TrainingEvent.Saved event) {
        writeAfter(SHORT_PAUSE);
    }

    @Override
    public void onEnd(TrainingEvent.End event) {
        history.end(event.elapsed());
        write(event.reason());
    }

    /** Asking the system for every one of many short steps would be noticed. */
    private double resident() {
        Instant now = Instant.now();
        if (Duration.between(sampled, now).compareTo(BETWEEN_SAMPLES) > 0) {
            sampled = now;
            resident = (double) ProcessMemory.residentBytes().orElse(0);
        }
        return resident;
    }

    private void writeAfter(Duration pause) {
        if (Duration.between(written, Instant.now()).compareTo(pause) > 0) {
            write(null);
        }
    }

    private void write(TrainingEvent.@Nullable Reason reason) {
        if (start == null) {
            return;
        }
        String name = title.isEmpty() ? start.method().toLowerCase(Locale.ROOT) : title;
        JsonObject data = history.json();
        data.add("settings", settings(start.run()));
        AtomicFiles.write(file, AtomicFiles.Content.of(new Page(name, start, last, history, facts, reason).html(data)));
        written = Instant.now();
    }

    // ---- the report of the run's earlier parts ----

    private History former(RunDescription run) {
        try {
            JsonObject data = Json.parse(Page.data(Files.readString(file)), "the report");
            return data.get("settings").equals(settings(run)) ? History.of(data) : new History();
        } catch (IOException | RuntimeException e) {
            return new History(); // it is missing or something else: what it would tell is said to be missing
        }
    }

    private static JsonObject settings(RunDescription run) {
        JsonObject settings = new JsonObject();
        run.settings().forEach(settings::addProperty);
        return settings;
    }
}
