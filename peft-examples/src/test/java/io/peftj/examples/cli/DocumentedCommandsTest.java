package io.peftj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.peftj.djl.backbone.Backbones;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Options that the guide shows exist. */
class DocumentedCommandsTest {
    private static final String COMMAND = "java -jar peft.jar ";

    private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|(\\S+)");

    @ParameterizedTest
    @MethodSource("commands")
    void theGuidesCommandsAreUnderstood(String arguments) {
        assertThatCode(() -> PeftCommand.commandLine(Backbones::load, InputStream.nullInputStream())
                        .parseArgs(words(arguments)))
                .doesNotThrowAnyException();
    }

    private static String[] words(String arguments) {
        return WORD.matcher(arguments)
                .results()
                .map(word -> word.group(1) == null ? word.group(2) : word.group(1))
                .toArray(String[]::new);
    }

    /** Lines of their own, and those that stand in a text between backquotes. */
    static Stream<String> commands() throws IOException {
        List<Path> pages = new ArrayList<>(List.of(Path.of("../docs/command-line.md")));
        try (Stream<Path> methods = Files.list(Path.of("../docs/methods"))) {
            methods.filter(file -> file.toString().endsWith(".md")).sorted().forEach(pages::add);
        }
        List<String> commands = new ArrayList<>();
        for (Path page : pages) {
            for (String line : Files.readAllLines(page)) {
                if (line.startsWith(COMMAND) || line.startsWith("`" + COMMAND)) {
                    commands.add(line.replaceFirst("^`([^`]*)`.*", "$1").substring(COMMAND.length()));
                }
            }
        }
        assertThat(commands).hasSizeGreaterThan(40);
        return commands.stream();
    }
}
