package io.peftj.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.PeftException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Real processes, of this Java. */
class ProcessesTest {
    /** A program that prints more than a pipe holds on both streams and ends as it is told. */
    static final class Program {
        private Program() {}

        public static void main(String... arguments) {
            for (int i = 0; i < 20_000; i++) {
                System.err.println("progress " + i);
                System.out.println("line " + i);
            }
            System.err.println("last words\n\n");
            System.exit(Integer.parseInt(arguments[0]));
        }
    }

    private static Processes.Outcome run(int exitCode) {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        return Processes.ofSystem()
                .run(List.of(
                        java,
                        "-cp",
                        System.getProperty("java.class.path"),
                        Program.class.getName(),
                        String.valueOf(exitCode)));
    }

    @Test
    void bothStreamsAreReadWhole() {
        Processes.Outcome outcome = run(3);

        assertThat(outcome.exitCode()).isEqualTo(3);
        assertThat(outcome.out()).hasSize(20_000).endsWith("line 19999");
        assertThat(outcome.lastError()).isEqualTo("last words");
    }

    @Test
    void aProgramThatIsNotThereIsNamed() {
        assertThatThrownBy(() -> Processes.ofSystem().run(List.of("/no/such/python", "-c", "x")))
                .isInstanceOf(PeftException.class)
                .hasMessageStartingWith("/no/such/python could not be started: ")
                .hasMessageEndingWith("; give the program's path");
    }
}
