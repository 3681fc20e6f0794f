package io.peftj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PeftCommandTest {
    @TempDir
    Path folder;

    @Test
    void helpListsTheSubcommandsAndTheExitCodes() {
        Invocation help = Invocation.of("--help");

        assertThat(help.exitCode()).isZero();
        assertThat(help.out())
                .contains(
                        "Usage: peft",
                        "inspect",
                        "logits",
                        "fit-oracle",
                        "train",
                        "eval",
                        "bench",
                        "completion",
                        "Exit codes:",
                        "bad input");
        assertThat(help.err()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"inspect", "logits", "fit-oracle", "train", "eval", "bench train", "bench classify"})
    void everySubcommandHasHelp(String name) {
        Invocation help = Invocation.of((Object[]) (name + " --help").split(" "));

        assertThat(help.exitCode()).isZero();
        assertThat(help.out()).contains("Usage: peft " + name, "--model=DIR");
        assertThat(help.err()).isEmpty();
    }

    @Test
    void theVersionIsNamed() {
        assertThat(Invocation.of("--version").out()).startsWith("peft ");
    }

    @Test
    void withoutASubcommandOneLineSaysWhatIsMissing() {
        Invocation invocation = Invocation.of();

        assertThat(invocation.exitCode()).isEqualTo(2);
        assertThat(invocation.err()).isEqualToIgnoringNewLines("peft: Missing required subcommand; see peft --help");
    }

    @Test
    void anUnknownOptionIsBadInput() {
        Invocation invocation = Invocation.of("inspect", "--model", folder, "--modle", "x");

        assertThat(invocation.exitCode()).isEqualTo(2);
        assertThat(invocation.err()).hasLineCount(1).contains("--modle", "see peft inspect --help");
        assertThat(invocation.out()).isEmpty();
    }

    @Test
    void aMissingModelIsBadInputInOneLine() {
        Invocation invocation = Invocation.of("inspect", "--model", folder.resolve("nowhere"));

        assertThat(invocation.exitCode()).isEqualTo(2);
        assertThat(invocation.err())
                .hasLineCount(1)
                .startsWith("peft: ")
                .contains("config.json does not exist", "check the path");
    }

    @Test
    void anErrorThatTheInputDoesNotExplainHintsAtTheStackTrace() {
        Fixture fixture = Fixture.of("llama", "lora");
        ModelOpener broken = (model, options) -> {
            throw new IllegalStateException("first line\nsecond line");
        };

        Invocation invocation = Invocation.with(broken, logits(fixture));

        assertThat(invocation.exitCode()).isEqualTo(1);
        assertThat(invocation.err())
                .isEqualToIgnoringNewLines(
                        "peft: unexpected error: java.lang.IllegalStateException: first line second line;"
                                + " run it with --stack-trace to see where it came from");
    }

    @Test
    void theStackTraceIsShownWhenAskedFor() {
        Fixture fixture = Fixture.of("llama", "lora");
        ModelOpener broken = (model, options) -> {
            throw new IllegalStateException("broken");
        };
        Object[] arguments = logits(fixture);
        Object[] traced = java.util.Arrays.copyOf(arguments, arguments.length + 1);
        traced[arguments.length] = "--stack-trace";

        Invocation invocation = Invocation.with(broken, traced);

        assertThat(invocation.exitCode()).isEqualTo(1);
        assertThat(invocation.err()).contains("unexpected error", "at io.peftj.examples.cli.LogitsCommand.call");
    }

    private Object[] logits(Fixture fixture) {
        return new Object[] {
            "logits",
            "--model",
            fixture.base(),
            "--inputs",
            fixture.writeInputs(folder),
            "--out",
            folder.resolve("logits.safetensors")
        };
    }
}
