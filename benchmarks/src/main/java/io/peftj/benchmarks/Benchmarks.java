package io.peftj.benchmarks;

import io.peftj.benchmarks.compare.CompareCommand;
import io.peftj.benchmarks.kernels.KernelsCommand;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import picocli.CommandLine;

/** The jar's entrance: {@code compare …} compares with the peer, {@code kernels …} measures single kernels. */
public final class Benchmarks {
    private Benchmarks() {}

    /** Runs one or the other, and ends the process with its exit code. */
    public static void main(String... arguments) {
        System.setProperty("java.awt.headless", "true"); // Pictures are written, never shown.
        String command = arguments.length > 0 ? arguments[0] : "nothing";
        String[] rest = Arrays.copyOfRange(arguments, Math.min(1, arguments.length), arguments.length);
        switch (command) {
            case "compare" -> run(CompareCommand.commandLine(), rest);
            case "kernels" -> run(KernelsCommand.commandLine(), rest);
            default -> {
                System.err.println("benchmarks: expected compare or kernels, found " + command + "; each has a --help");
                System.exit(CommandLine.ExitCode.USAGE);
            }
        }
    }

    private static void run(CommandLine command, String... arguments) {
        // Tables have signs beyond ASCII, whatever the system's language is.
        PrintWriter out = new PrintWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8));
        System.exit(command.setOut(out).execute(arguments));
    }
}
