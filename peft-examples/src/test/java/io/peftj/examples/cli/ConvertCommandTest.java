package io.peftj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.core.adapter.AdapterFiles;
import io.peftj.methods.reft.ReftConfig;
import io.peftj.methods.reft.ReftVariant;
import io.peftj.testkit.TinyModels;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConvertCommandTest {
    @TempDir
    private Path folder;

    /** A folder that pyreft wrote for a model of width 16: LoReFT of rank 2 behind layer 1. */
    private static Path pyreft() throws URISyntaxException {
        return Path.of(Objects.requireNonNull(ConvertCommandTest.class.getResource("pyreft"))
                .toURI());
    }

    @Test
    void pyreftsFoldersBecomeAdapters() throws URISyntaxException {
        Path model = TinyModels.llama(folder.resolve("model"), 1);
        Path out = folder.resolve("adapter");

        Invocation converted =
                Invocation.of("convert", "--pyreft", pyreft(), "--positions", "f3", "--model", model, "--out", out);

        assertThat(converted.err()).isEmpty();
        assertThat(converted.out().strip())
                .isEqualTo(
                        "{\"type\":\"LOREFT\",\"variant\":\"loreft\",\"r\":2,\"layers\":[1],\"share_weights\":true}");
        ReftConfig config = (ReftConfig) AdapterFiles.load(out).config();
        assertThat(config.variant()).isEqualTo(ReftVariant.LOREFT);
        assertThat(config.layers()).isEqualTo(List.of(1));
        assertThat(config.firstPositions()).isEqualTo(3);
        assertThat(config.lastPositions()).isZero();
        assertThat(config.lengthOffset()).isEqualTo(-1);
        assertThat(Invocation.of("inspect", "--model", model, "--adapter", out).out())
                .contains("output of layer 1  prompt edit");
    }

    @Test
    void whatDoesNotFitTheModelIsNotWritten() throws URISyntaxException {
        Path model = TinyModels.bert(folder.resolve("model"), 1);
        Path out = folder.resolve("adapter");

        Invocation refused = Invocation.of("convert", "--pyreft", pyreft(), "--positions", "7", "--out", out);

        assertThat(refused.exitCode()).isEqualTo(2);
        assertThat(refused.err())
                .isEqualToIgnoringNewLines(
                        "peft: positions: expected something like f7+l7, f3 or l1, as pyreft's position"
                                + " argument, found 7");
        assertThat(Files.exists(out)).isFalse();
        assertThat(Invocation.of("convert", "--pyreft", model, "--positions", "f7", "--out", out)
                        .err())
                .contains("check that pyreft saved this folder");
    }
}
