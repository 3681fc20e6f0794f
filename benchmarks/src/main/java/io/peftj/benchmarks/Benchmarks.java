package io.peftj.benchmarks;

import io.peftj.benchmarks.compare.CompareCommand;
import io.peftj.benchmarks.kernels.KernelsCommand;
import java.util.Arrays;

/** The jar's entrance: {@code compare …} compares with the peer, {@code kernels …} measures single kernels. */
public final class Benchmarks {
    private Benchmarks() {}

    /** Runs one or the other, and ends the process with its exit code. */
    public static void main(String... arguments) {
        String command = arguments.length > 0 ? arguments[0] : "nothing";
        String[] rest = Arrays.copyOfRange(arguments, Math.min(1, arguments.length), arguments.length);
        switch (command) {
            case "compare" -> CompareCommand.main(rest);
            case "kernels" -> KernelsCommand.main(rest);
            default -> {
                System.err.println("benchmarks: expected compare or kernels, found " + command + "; each has a --help");
                System.exit(2);
            }
        }
    }
}
