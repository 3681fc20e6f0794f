package io.peftj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.djl.backbone.Backbones;
import io.peftj.testkit.reference.ReferenceBackend;
import java.io.ByteArrayInputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import picocli.CommandLine;

/**
 * What one run of the command gave.
 *
 * @param exitCode the process's exit code
 * @param out standard output
 * @param err standard error
 */
record Invocation(int exitCode, String out, String err) {
    /** Runs the command with models on the reference backend, and checks that it frees all it made there. */
    static Invocation of(Object... arguments) {
        return reading("", arguments);
    }

    /** {@link #of} with a text for standard input. */
    static Invocation reading(String in, Object... arguments) {
        try (ReferenceBackend backend = ReferenceBackend.exact()) {
            Invocation invocation =
                    with((model, options) -> Backbones.load(model, backend, options.dtype()), in, arguments);
            assertThat(backend.memory().liveBytes()).as("bytes left").isZero();
            return invocation;
        }
    }

    /** Runs the command with models from an opener. */
    static Invocation with(ModelOpener opener, Object... arguments) {
        return with(opener, "", arguments);
    }

    private static Invocation with(ModelOpener opener, String in, Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine command = PeftCommand.commandLine(
                        opener, new ByteArrayInputStream(in.getBytes(StandardCharsets.UTF_8)))
                .setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF))
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err));
        int exitCode =
                command.execute(Arrays.stream(arguments).map(String::valueOf).toArray(String[]::new));
        return new Invocation(exitCode, out.toString(), err.toString());
    }
}
