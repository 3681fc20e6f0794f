package io.peftj.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Options that the guide and the pages of results show exist. */
class DocumentedComparisonsTest {
    private static final String COMMAND = "java -jar benchmarks/target/benchmarks.jar compare ";

    @Test
    void theirCommandsAreUnderstood() throws IOException {
        List<String> commands = new ArrayList<>();
        try (DirectoryStream<Path> pages = Files.newDirectoryStream(Path.of("../docs/benchmarks"), "*.md")) {
            for (Path page : pages) {
                Files.readAllLines(page).stream()
                        .filter(line -> line.startsWith(COMMAND))
                        .forEach(commands::add);
            }
        }

        assertThat(commands)
                .hasSizeGreaterThan(4)
                .allSatisfy(command -> assertThatCode(() -> CompareCommand.commandLine(Processes.ofSystem())
                                .parseArgs(command.substring(COMMAND.length()).split(" ")))
                        .doesNotThrowAnyException());
    }
}
