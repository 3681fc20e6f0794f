package io.peftj.benchmarks.compare;

import com.google.gson.JsonObject;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Work that every side can be asked to do, and the command that compares it. */
abstract class Workload implements Callable<Integer> {
    private final Comparison comparison;

    @Spec
    private CommandSpec command;

    @Mixin
    private final CompareOptions options;

    /** A workload and what it is compared with if nothing is said. */
    Workload(Comparison comparison, CompareOptions options) {
        this.comparison = comparison;
        this.options = options;
    }

    @Override
    public final Integer call() {
        comparison.run(this, options, command.commandLine());
        return 0;
    }

    /** What all comparisons have. */
    final CompareOptions options() {
        return options;
    }

    /** Its name, as {@code peft bench} has it. */
    abstract String name();

    /** What is read off a run, the speed first. */
    abstract List<Metric> metrics();

    /** What runs depend on, but for the case: equal settings make runs of several sittings comparable. */
    abstract JsonObject settings();

    /** The settings in a few words. */
    abstract String title();

    /** The peer's scripts that it starts. */
    abstract List<String> scripts();

    /**
     * How each side does a case, in the order they take their turns.
     *
     * @param round from 1; the floor is measured in the first alone
     */
    abstract Map<Side, Attempt> attempts(Case of, int round);
}
