package io.peftj.benchmarks.compare;

import com.google.gson.JsonObject;
import java.util.List;
import java.util.Map;

/** Work that every side can be asked to do. */
interface Workload {
    /** Its name, as {@code peft bench} has it. */
    String name();

    /** What is read off a run, the speed first. */
    List<Metric> metrics();

    /** What runs depend on, but for the case: equal settings make runs of several sittings comparable. */
    JsonObject settings();

    /** The settings in a few words. */
    String title();

    /** The peer's scripts that it starts. */
    List<String> scripts();

    /**
     * How each side does a case, in the order they take their turns.
     *
     * @param round from 1; the floor is measured in the first alone
     */
    Map<Side, Attempt> attempts(Case of, int round);
}
