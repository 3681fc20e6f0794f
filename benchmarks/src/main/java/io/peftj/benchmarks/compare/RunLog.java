package io.peftj.benchmarks.compare;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.peftj.core.InvalidFileException;
import io.peftj.core.io.AtomicFiles;
import io.peftj.core.io.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** All runs of a comparison in one JSON file, which is whole after each of them. */
final class RunLog {
    private static final String RUNS = "runs";
    private static final String RESULTS = "results";

    private final Path file;
    private final JsonObject conditions;
    private final List<Metric> metrics;
    private final List<Run> runs = new ArrayList<>();

    private RunLog(Path file, JsonObject conditions, List<Metric> metrics) {
        this.file = file;
        this.conditions = conditions;
        this.metrics = metrics;
    }

    /**
     * Opens a file, or begins one.
     *
     * @param conditions objects by name, under which all runs of a file are made
     * @throws InvalidFileException if it was begun under other conditions, or is none that this class wrote
     */
    static RunLog open(Path file, JsonObject conditions, List<Metric> metrics) {
        RunLog log = new RunLog(file, conditions, metrics);
        if (Files.exists(file)) {
            JsonObject json = Json.read(file);
            log.checkConditions(json);
            if (!(json.get(RUNS) instanceof JsonArray runs)) {
                throw new InvalidFileException(file + ": expected a list of runs, found none; move the file away");
            }
            for (JsonElement run : runs) {
                log.runs.add(Run.parse(run instanceof JsonObject object ? object : new JsonObject(), file.toString()));
            }
        }
        return log;
    }

    private void checkConditions(JsonObject json) {
        for (Map.Entry<String, JsonElement> group : conditions.entrySet()) {
            JsonObject found = json.get(group.getKey()) instanceof JsonObject object ? object : new JsonObject();
            JsonObject now = group.getValue().getAsJsonObject();
            now.entrySet().forEach(entry -> {
                JsonElement before = found.get(entry.getKey());
                // By text: a number that was read is another class than one that was made.
                if (before == null || !before.toString().equals(entry.getValue().toString())) {
                    throw new InvalidFileException(file + " holds runs under other conditions: " + group.getKey() + "."
                            + entry.getKey() + " was " + before + " and is " + entry.getValue()
                            + "; give another --name, or move the file away");
                }
            });
        }
    }

    /** Where it is. */
    Path file() {
        return file;
    }

    /** All runs, in the order they were made. */
    List<Run> runs() {
        return List.copyOf(runs);
    }

    /** Whether a side's turn has been taken; once for all rounds where it does not do the case. */
    boolean has(Side side, Case of, int round) {
        return find(side, of).stream().anyMatch(run -> run.round() == round || run.absence() != null);
    }

    /** How long a side's case took, if it has run. */
    Optional<Double> seconds(Side side, Case of) {
        return find(side, of).stream().map(Run::seconds).reduce((before, after) -> after);
    }

    private List<Run> find(Side side, Case of) {
        return runs.stream()
                .filter(run -> run.side() == side && run.of().equals(of))
                .toList();
    }

    /** What the runs come to. */
    Summary summary() {
        return Summary.of(metrics, runs);
    }

    /** Adds a run and writes the file. */
    void add(Run run) {
        runs.add(run);
        JsonObject json = conditions.deepCopy();
        JsonArray all = new JsonArray();
        runs.forEach(one -> all.add(one.json()));
        json.add(RUNS, all);
        json.add(RESULTS, summary().json());
        AtomicFiles.write(file, AtomicFiles.Content.of(Json.write(json) + "\n"));
    }
}
