package io.peftj.benchmarks.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelsCommandTest {
    @TempDir
    Path folder;

    private final StringWriter err = new StringWriter();

    private int run(String... words) {
        return KernelsCommand.commandLine().setErr(new PrintWriter(err, true)).execute(words);
    }

    @Test
    void aPatternThatMatchesNothingIsRefusedByName() {
        int code = run("--out", folder.toString(), "noSuchKernel");

        assertThat(code).isEqualTo(1);
        assertThat(err.toString())
                .contains("no benchmark's name matches [noSuchKernel]")
                .contains("KernelBenchmark");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void whatJmhDoesNotKnowIsABadOption() {
        assertThat(run("--no-such-option")).isEqualTo(2);
        assertThat(err.toString()).contains("kernels: ").contains("no-such-option");
    }
}
