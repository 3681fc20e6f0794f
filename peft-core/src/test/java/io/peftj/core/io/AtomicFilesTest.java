package io.peftj.core.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.PeftException;
import io.peftj.core.io.AtomicFiles.Content;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFilesTest {
    private static final Content FAILING = out -> {
        Content.of("half of the").writeTo(out);
        throw new IOException("No space left on device");
    };

    @TempDir
    private Path folder;

    @Test
    void aFileIsMadeAndReplaced() throws IOException {
        Path file = folder.resolve("a/b/file.txt");

        AtomicFiles.write(file, Content.of("old"));
        AtomicFiles.write(file, Content.of("new: ä"));

        assertThat(file).hasContent("new: ä");
        assertThat(names(folder.resolve("a/b"))).containsExactly("file.txt");
    }

    @Test
    void aFailedWriteLeavesTheOldFileAndNothingElse() throws IOException {
        Path file = Files.writeString(folder.resolve("file.txt"), "old");

        assertThatThrownBy(() -> AtomicFiles.write(file, FAILING))
                .isInstanceOf(PeftException.class)
                .hasMessage(
                        file + " could not be written: IOException No space left on device; check that the folder is"
                                + " writable, that the disk has space and that nobody holds the file");

        assertThat(file).hasContent("old");
        assertThat(names(folder)).containsExactly("file.txt");
    }

    @Test
    void anErrorOfTheContentLeavesNothingEither() throws IOException {
        Content broken = out -> {
            throw new IllegalStateException("closed");
        };

        assertThatThrownBy(() -> AtomicFiles.writeTogether(folder.resolve("new"), Map.of("a", broken)))
                .isInstanceOf(IllegalStateException.class);

        assertThat(names(folder)).isEmpty();
    }

    @Test
    void aNewFolderAppearsWholeOrNotAtAll() throws IOException {
        Path made = folder.resolve("adapters/one");

        AtomicFiles.writeTogether(made, ordered("a", Content.of("1"), "b", Content.of("2")));
        assertThatThrownBy(() -> AtomicFiles.writeTogether(
                        folder.resolve("adapters/two"), ordered("a", Content.of("1"), "b", FAILING)))
                .isInstanceOf(PeftException.class);

        assertThat(names(folder.resolve("adapters"))).containsExactly("one");
        assertThat(names(made)).containsExactly("a", "b");
    }

    @Test
    void filesOfAnExistingFolderAreReplacedTogetherOrNotAtAll() throws IOException {
        Files.writeString(folder.resolve("a"), "old a");
        Files.writeString(folder.resolve("other"), "untouched");

        assertThatThrownBy(() -> AtomicFiles.writeTogether(folder, ordered("a", Content.of("new a"), "b", FAILING)))
                .isInstanceOf(PeftException.class);
        assertThat(folder.resolve("a")).hasContent("old a");
        assertThat(names(folder)).containsExactly("a", "other");

        AtomicFiles.writeTogether(folder, ordered("a", Content.of("new a"), "b", Content.of("new b")));
        assertThat(folder.resolve("a")).hasContent("new a");
        assertThat(names(folder)).containsExactly("a", "b", "other");
    }

    @Test
    void anInterruptedThreadWritesAllTheSameAndStaysInterrupted() throws IOException {
        Path file = folder.resolve("file.txt");
        Thread.currentThread().interrupt();
        AtomicFiles.write(file, Content.of("whole"));

        assertThat(Thread.interrupted()).isTrue();
        assertThat(file).hasContent("whole");
    }

    @Test
    void anInterruptionWhileAFileIsWrittenIsSeenAfterwards() throws IOException {
        Path file = folder.resolve("file.txt");
        AtomicInteger passes = new AtomicInteger();

        AtomicFiles.write(file, out -> {
            if (passes.incrementAndGet() == 1) {
                Thread.currentThread().interrupt();
            }
            Content.of("whole").writeTo(out);
        });

        assertThat(Thread.interrupted()).isTrue();
        assertThat(passes).hasValue(2);
        assertThat(file).hasContent("whole");
        assertThat(names(folder)).containsExactly("file.txt");
    }

    @Test
    void whatAKilledProcessLeftIsDeletedAndNothingElse() throws IOException {
        for (String name : List.of(".a.txt.1f.tmp", ".a.txt.2e.tmp", ".b.txt.1f.tmp", "a.txt", ".a.txt.bak")) {
            Files.writeString(folder.resolve(name), "");
        }

        AtomicFiles.deleteLeftovers(folder.resolve("a.txt"));
        AtomicFiles.deleteLeftovers(folder.resolve("no folder").resolve("a.txt"));

        assertThat(names(folder)).containsExactly(".a.txt.bak", ".b.txt.1f.tmp", "a.txt");
    }

    @Test
    void onlyPlainNamesAreTaken() {
        for (String name : List.of("../a", "a/b", "", "..", ".")) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> AtomicFiles.writeTogether(folder, Map.of(name, Content.of("x"))))
                    .withMessage("expected a plain file name, found \"" + name + "\"");
        }
    }

    private static Map<String, Content> ordered(String a, Content first, String b, Content second) {
        Map<String, Content> contents = new LinkedHashMap<>();
        contents.put(a, first);
        contents.put(b, second);
        return contents;
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
