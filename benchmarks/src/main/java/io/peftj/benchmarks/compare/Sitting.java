package io.peftj.benchmarks.compare;

import com.google.gson.JsonObject;
import io.peftj.core.PeftException;
import io.peftj.core.io.Json;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/** Lets the sides take turns, and puts down what each has done as soon as it has. */
final class Sitting {
    private final Workload workload;
    private final Processes processes;
    private final RunLog log;
    private final PrintWriter progress;

    Sitting(Workload workload, Processes processes, RunLog log, PrintWriter progress) {
        this.workload = workload;
        this.processes = processes;
        this.log = log;
        this.progress = progress;
    }

    private record Turn(Side side, Case of, int round, Attempt attempt) {
        @Override
        public String toString() {
            return side.title() + ": " + of + ", round " + round;
        }
    }

    /**
     * Runs what the log lacks.
     *
     * @throws PeftException if a side fails; what ran before is kept
     */
    void run(List<Case> cases, int rounds) {
        List<Turn> turns = turns(cases, rounds);
        for (int i = 0; i < turns.size(); i++) {
            Turn turn = turns.get(i);
            if (!log.has(turn.side(), turn.of(), turn.round())) { // A side may have turned out not to do the case.
                say("[%d of %d] %s; %s", i + 1, turns.size(), turn, remaining(turns.subList(i, turns.size())));
                log.add(take(turn));
            }
        }
    }

    /** All rounds of all cases that the log lacks; whoever began a round ends the next, so that a drift hits both alike. */
    private List<Turn> turns(List<Case> cases, int rounds) {
        List<Turn> turns = new ArrayList<>();
        for (int round = 1; round <= rounds; round++) {
            for (Case of : cases) {
                List<Turn> ofCase = new ArrayList<>();
                for (Map.Entry<Side, Attempt> entry :
                        workload.attempts(of, round).entrySet()) {
                    if (!log.has(entry.getKey(), of, round)) {
                        ofCase.add(new Turn(entry.getKey(), of, round, entry.getValue()));
                    }
                }
                if (round % 2 == 0) {
                    Collections.reverse(ofCase);
                }
                turns.addAll(ofCase);
            }
        }
        return turns;
    }

    private Run take(Turn turn) {
        if (turn.attempt() instanceof Attempt.Command command) {
            return run(turn, command);
        }
        String reason = ((Attempt.Absent) turn.attempt()).reason();
        say("    absent: %s", reason);
        return Run.absent(turn.side(), turn.of(), turn.round(), reason);
    }

    private Run run(Turn turn, Attempt.Command command) {
        long began = System.nanoTime();
        Processes.Outcome outcome = processes.run(command.words().list());
        double seconds = (System.nanoTime() - began) / 1e9;
        if (outcome.exitCode() != 0) {
            return failed(turn, outcome);
        }
        JsonObject result = command.reading().apply(line(turn, outcome));
        if (workload.metrics().stream().allMatch(metric -> metric.of(result).isEmpty())) {
            throw new PeftException(turn + ": expected a number under "
                    + workload.metrics().get(0).name() + ", found " + result + keptRuns());
        }
        Metric speed = workload.metrics().get(0);
        OptionalDouble value = speed.of(result);
        say(
                "    %s in %.0f s",
                value.isPresent() ? speed.format(value.getAsDouble()) + " " + speed.title() : "done", seconds);
        return Run.of(turn.side(), turn.of(), turn.round(), seconds, result);
    }

    /** The peer's scripts end at a method they have no word for; anything else that fails ends the sitting. */
    private Run failed(Turn turn, Processes.Outcome outcome) {
        String last = outcome.lastError();
        String method = turn.of().method();
        if (turn.side() == Side.PEER && last.equals("KeyError: '" + method + "'")) {
            String reason = "its script has no " + method;
            say("    absent: %s", reason);
            return Run.absent(turn.side(), turn.of(), turn.round(), reason);
        }
        throw new PeftException(turn + ": ended with exit code " + outcome.exitCode() + ": " + last + keptRuns());
    }

    private String keptRuns() {
        return log.runs().isEmpty()
                ? ""
                : "; the runs before it are kept in " + log.file() + ", and the same command goes on from there";
    }

    private JsonObject line(Turn turn, Processes.Outcome outcome) {
        String line = outcome.out().stream()
                .filter(text -> text.startsWith("{"))
                .reduce((before, text) -> text)
                .orElseThrow(() -> new PeftException(
                        turn + ": expected a line of JSON on standard output, found none" + keptRuns()));
        return Json.parse(line, turn + ": standard output");
    }

    /** How long turns will take, as far as those before them tell. */
    private String remaining(List<Turn> turns) {
        OptionalDouble usual = log.runs().stream()
                .filter(run -> run.absence() == null)
                .mapToDouble(Run::seconds)
                .average();
        if (usual.isEmpty()) {
            return "the first of them tells how long they take";
        }
        double seconds = turns.stream()
                .filter(turn -> turn.attempt() instanceof Attempt.Command)
                .mapToDouble(turn -> log.seconds(turn.side(), turn.of()).orElse(usual.getAsDouble()))
                .sum();
        return seconds < 90 ? "about %.0f s to go".formatted(seconds) : "about %.0f min to go".formatted(seconds / 60);
    }

    private void say(String format, Object... arguments) {
        progress.printf(format + "%n", arguments);
        progress.flush();
    }
}
