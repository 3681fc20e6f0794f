package io.peftj.examples.cli.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.djl.train.PromptAnswer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class E2eDataTest {
    @TempDir
    Path folder;

    @BeforeEach
    void write() throws IOException {
        StringBuilder development = new StringBuilder("mr,ref\n");
        IntStream.range(0, 20)
                .forEach(row ->
                        development.append("\"a[b], c[d e]\",").append(row).append('\n'));
        Files.writeString(folder.resolve("devset.csv"), development);
        Files.writeString(folder.resolve("testset_w_refs.csv"), "mr,ref\nf[g],first\nf[g],second\nh[i],third\n");
    }

    @Test
    void everyFourthReferenceTrainsAndTheFirstOfEachInputTests() {
        E2eData rows = E2eData.read(folder);

        assertThat(rows.train()).extracting(PromptAnswer::answer).containsExactly("0", "4", "8", "12", "16");
        assertThat(rows.train().get(0).prompt()).isEqualTo("Describe the place in one sentence: a b; c d e.");
        assertThat(rows.test()).extracting(PromptAnswer::answer).containsExactly("first", "third");
    }

    @Test
    void settingsAreChosenOnReferencesThatTrainingLeavesOut() {
        E2eData rows = E2eData.development(folder);

        assertThat(rows.train()).extracting(PromptAnswer::answer).containsExactly("0", "16");
        assertThat(rows.test()).extracting(PromptAnswer::answer).containsExactly("2", "18");
    }
}
