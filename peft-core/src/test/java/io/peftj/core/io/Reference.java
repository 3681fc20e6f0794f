package io.peftj.core.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Checkpoints written by Hugging Face PEFT; tests that need them skip where they are absent. */
final class Reference {
    private Reference() {}

    static Path fixtures() {
        Path folder = Path.of(System.getProperty("peft.reference.dir", "../../shared"), "fixtures", "peft");
        assumeTrue(Files.isDirectory(folder), "no reference checkpoints, set -Dpeft.reference.dir");
        return folder;
    }

    /** All files of a name below the fixtures. */
    static List<Path> files(String name) throws IOException {
        try (Stream<Path> files = Files.walk(fixtures())) {
            List<Path> found =
                    files.filter(file -> file.endsWith(name)).sorted().toList();
            assertThat(found).hasSizeGreaterThan(5);
            return found;
        }
    }
}
