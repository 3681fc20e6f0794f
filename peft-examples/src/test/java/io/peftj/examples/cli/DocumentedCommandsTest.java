package io.peftj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.peftj.djl.backbone.Backbones;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Options that the guide shows exist. */
class DocumentedCommandsTest {
    private static final String COMMAND = "java -jar peft.jar ";

    @ParameterizedTest
    @MethodSource("commands")
    void theGuidesCommandsAreUnderstood(String arguments) {
        assertThatCode(() -> PeftCommand.commandLine(Backbones::load).parseArgs(arguments.split(" ")))
                .doesNotThrowAnyException();
    }

    static Stream<String> commands() throws IOException {
        List<String> commands = Files.readAllLines(Path.of("../docs/command-line.md")).stream()
                .filter(line -> line.startsWith(COMMAND))
                .map(line -> line.substring(COMMAND.length()))
                .toList();
        assertThat(commands).hasSizeGreaterThan(10);
        return commands.stream();
    }
}
