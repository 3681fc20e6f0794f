package io.peftj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CompletionTest {
    /** What bash sets before it asks a function for completions of the last word. */
    private static final String ASK = """
            source "$0"
            COMP_WORDS=("$@")
            COMP_CWORD=$(($# - 1))
            COMP_LINE="$*"
            COMP_POINT=${#COMP_LINE}
            _complete_peft 2> /dev/null
            echo "${COMPREPLY[*]}"
            """;

    @TempDir
    Path folder;

    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "there is no bash")
    @ParameterizedTest
    @CsvSource({
        "peft tra,train",
        "peft train --checkpoint-e,--checkpoint-every",
        "peft train --method pre,prefix",
        "peft eval --dtype b,bfloat16",
        "peft bench cl,classify",
        "peft bench de,decode",
        "peft ge,generate",
        "peft generate --top-k 3 --top-p 1 --inp,--input"
    })
    void bashCompletesCommandsOptionsAndValues(String line, String word) throws Exception {
        Path script = Files.writeString(folder.resolve("peft_completion"), script());

        assertThat(ask(script, line.split(" "))).isEqualTo(word);
    }

    @Test
    void theScriptIsAllThatIsPrinted() {
        assertThat(script()).startsWith("#!/usr/bin/env bash").contains("complete -F _complete_peft -o default peft");
    }

    private static String script() {
        Invocation invocation = Invocation.of("completion");
        assertThat(invocation.exitCode()).isZero();
        return invocation.out();
    }

    private static String ask(Path script, String... words) throws IOException, InterruptedException {
        String[] command = new String[words.length + 4];
        System.arraycopy(new String[] {"bash", "-c", ASK, script.toString()}, 0, command, 0, 4);
        System.arraycopy(words, 0, command, 4, words.length);
        Process bash = new ProcessBuilder(command).redirectErrorStream(true).start();
        String answer = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(bash.waitFor(1, TimeUnit.MINUTES)).isTrue();
        return answer.strip();
    }
}
