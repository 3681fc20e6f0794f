package io.peftj.benchmarks;

import io.peftj.benchmarks.compare.CompareCommand;
import java.io.IOException;
import java.util.Arrays;

/** The jar's entrance: {@code compare …} compares with the peer, everything else is JMH's. */
public final class Benchmarks {
    private static final String COMPARE = "compare";

    private Benchmarks() {}

    /** Runs one or the other. */
    public static void main(String... arguments) throws IOException {
        if (arguments.length > 0 && arguments[0].equals(COMPARE)) {
            CompareCommand.main(Arrays.copyOfRange(arguments, 1, arguments.length));
        } else {
            org.openjdk.jmh.Main.main(arguments);
        }
    }
}
