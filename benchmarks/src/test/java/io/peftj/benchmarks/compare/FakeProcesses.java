package io.peftj.benchmarks.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Sides that cost nothing: a command is answered by a function of its words, and remembered. */
final class FakeProcesses implements Processes {
    private static final Outcome VERSIONS = printing("{\"peft\": \"0.21.0\", \"torch\": \"2.13.0\"}");

    private final List<String> started = new ArrayList<>();
    private final Function<String, Outcome> answers;

    /** The function gets a command's words with spaces between them. */
    FakeProcesses(Function<String, Outcome> answers) {
        this.answers = answers;
    }

    /** A process that ends well. */
    static Outcome printing(String... out) {
        return new Outcome(0, List.of(out), List.of("some progress"));
    }

    /** A process that does not. */
    static Outcome failing(int exitCode, String... err) {
        return new Outcome(exitCode, List.of(), List.of(err));
    }

    @Override
    public Outcome run(List<String> command) {
        if (command.contains("-c")) {
            return VERSIONS;
        }
        String words = String.join(" ", command);
        started.add(words);
        return answers.apply(words);
    }

    /** The commands that were measured, in their order. */
    List<String> started() {
        return List.copyOf(started);
    }
}
