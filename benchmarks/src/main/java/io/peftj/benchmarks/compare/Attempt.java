package io.peftj.benchmarks.compare;

import com.google.gson.JsonObject;
import java.util.function.UnaryOperator;

/** How a side does a case, or why it does not. */
sealed interface Attempt {
    /**
     * A process that prints one line of JSON.
     *
     * @param words the command line
     * @param reading makes the line's keys those of the metrics
     */
    record Command(Words words, UnaryOperator<JsonObject> reading) implements Attempt {
        /** A process whose line is taken as it is. */
        Command(Words words) {
            this(words, line -> line);
        }
    }

    /**
     * Nothing to run.
     *
     * @param reason why
     */
    record Absent(String reason) implements Attempt {}
}
