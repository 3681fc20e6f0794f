package io.peftj.benchmarks.compare;

import io.peftj.core.PeftException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;

/** Starts the processes that are measured. */
@FunctionalInterface
interface Processes {
    /**
     * Runs one to its end.
     *
     * @throws PeftException if it could not be started
     */
    Outcome run(List<String> command);

    /**
     * How a process ended.
     *
     * @param exitCode 0 if well
     * @param out the lines of its standard output
     * @param err the lines of its error stream
     */
    record Outcome(int exitCode, List<String> out, List<String> err) {
        /** Copies the lists. */
        public Outcome {
            out = List.copyOf(out);
            err = List.copyOf(err);
        }

        /** The last line of the error stream that says something. */
        String lastError() {
            return last(err, "nothing on its error stream");
        }

        private static String last(List<String> lines, String otherwise) {
            return lines.stream()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty())
                    .reduce((before, line) -> line)
                    .orElse(otherwise);
        }
    }

    /** Those of the operating system; a process ends with this one. */
    static Processes ofSystem() {
        return Processes::start;
    }

    private static Outcome start(List<String> command) {
        Process process;
        try {
            process = new ProcessBuilder(command).start();
        } catch (IOException e) {
            throw new PeftException(
                    command.get(0) + " could not be started: " + e.getMessage() + "; give the program's path", e);
        }
        Thread end = new Thread(process::destroyForcibly, "end the measured process");
        Runtime.getRuntime().addShutdownHook(end);
        try {
            process.getOutputStream().close();
            // Read side by side: a full pipe would hold the process up.
            CompletableFuture<List<String>> err = CompletableFuture.supplyAsync(() -> lines(process.getErrorStream()));
            List<String> out = lines(process.getInputStream());
            return new Outcome(process.waitFor(), out, err.join());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PeftException("interrupted while " + command.get(0) + " ran", e);
        } finally {
            process.destroyForcibly();
            forget(end);
        }
    }

    private static void forget(Thread end) {
        try {
            Runtime.getRuntime().removeShutdownHook(end);
        } catch (IllegalStateException e) {
            // This process is ending, and ends the other.
        }
    }

    private static List<String> lines(InputStream stream) {
        BufferedReader reader = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8));
        return reader.lines().collect(Collectors.toList());
    }
}
