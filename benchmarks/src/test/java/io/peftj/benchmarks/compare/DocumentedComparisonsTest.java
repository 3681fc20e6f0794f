package io.peftj.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Options that the guide shows exist. */
class DocumentedComparisonsTest {
    private static final String COMMAND = "java -jar benchmarks/target/benchmarks.jar compare ";

    @Test
    void theGuidesCommandsAreUnderstood() throws IOException {
        List<String> commands = Files.readAllLines(Path.of("../docs/benchmarks/README.md")).stream()
                .filter(line -> line.startsWith(COMMAND))
                .toList();

        assertThat(commands)
                .hasSizeGreaterThan(4)
                .allSatisfy(command -> assertThatCode(() -> CompareCommand.commandLine(Processes.ofSystem())
                                .parseArgs(command.substring(COMMAND.length()).split(" ")))
                        .doesNotThrowAnyException());
    }
}
