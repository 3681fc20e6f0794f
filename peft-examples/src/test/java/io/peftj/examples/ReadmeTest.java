package io.peftj.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReadmeTest {
    @ParameterizedTest
    @ValueSource(strings = {"train", "use"})
    void theReadmeQuotesCodeThatCompiles(String region) throws IOException {
        String source = Files.readString(Path.of("src/main/java/io/peftj/examples/QuickStart.java"));
        String marker = "// [" + region + "]\n";
        int begin = source.indexOf(marker) + marker.length();
        String code = source.substring(begin, source.indexOf(marker, begin))
                .stripIndent()
                .strip();

        assertThat(Files.readString(Path.of("../README.md"))).contains(code);
    }
}
