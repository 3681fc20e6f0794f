package io.peftj.djl.contract;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class GuideTest {
    private static final Pattern BLOCK = Pattern.compile("```java\\n(.*?)```", Pattern.DOTALL);

    @Test
    void theGuideToTheContractQuotesCodeThatIsRunHere() throws IOException {
        List<String> blocks = BLOCK.matcher(Files.readString(Path.of("../docs/guide/contract.md")))
                .results()
                .map(result -> result.group(1))
                .toList();
        String sources = sources();

        assertThat(blocks).hasSizeGreaterThan(1);
        assertThat(blocks).allSatisfy(block -> assertThat(sources).contains(block));
    }

    private static String sources() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("src/test/java/io/peftj/djl/contract"))) {
            return files.map(GuideTest::read).reduce("", String::concat);
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
