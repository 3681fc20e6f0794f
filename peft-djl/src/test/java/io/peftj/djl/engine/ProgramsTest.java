package io.peftj.djl.engine;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.IValue;
import io.peftj.core.PeftException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is compiled of texts that come up often, and when no more. */
class ProgramsTest {
    private static final int OFTEN = 32;
    private static final int MOST = 64;

    private final NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");
    private final List<String> compiled = new ArrayList<>();
    private final Programs programs = new Programs(this::compile);

    private Script compile(String text) {
        compiled.add(text);
        return Script.load((PtNDManager) manager, text);
    }

    /** A method that gives a number. */
    private static String text(int number) {
        return "def run(self) -> int:\n  return " + number + "\n";
    }

    /** Asks for a text as often as it takes to be compiled. */
    private Script askOften(String text) {
        for (int i = 1; i < OFTEN; i++) {
            assertThat(programs.of(text)).isNull();
        }
        return programs.of(text);
    }

    @AfterEach
    void close() {
        programs.close();
        manager.close();
    }

    @Test
    void aTextIsCompiledOnceWhenItComesUpOften() {
        Script first = askOften(text(1));

        assertThat(first).isNotNull();
        try (IValue result = first.call("run")) {
            assertThat(result.toLong()).isEqualTo(1);
        }
        assertThat(programs.of(text(1))).isSameAs(first);
        assertThat(compiled).containsExactly(text(1));
    }

    @Test
    void soManyAreKeptAndLaterTextsAreNotCompiled() {
        for (int number = 0; number < MOST; number++) {
            assertThat(askOften(text(number))).isNotNull();
        }

        assertThat(askOften(text(MOST))).isNull();
        assertThat(programs.of(text(0))).isNotNull();
        assertThat(compiled).hasSize(MOST);
    }

    @Test
    void textsThatHaveNotComeUpForLongestAreForgotten() {
        for (int i = 1; i < OFTEN; i++) {
            programs.of(text(0));
        }
        for (int number = 1; number <= 1024; number++) {
            programs.of(text(number));
        }

        assertThat(programs.of(text(0)))
                .as("its 32nd time, had it been remembered")
                .isNull();
        assertThat(compiled).isEmpty();
    }

    @Test
    void aTextThatDoesNotCompileIsTriedOnce() {
        List<String> tried = new ArrayList<>();
        try (Programs failing = new Programs(text -> {
            tried.add(text);
            throw new PeftException("no");
        })) {
            for (int i = 0; i < 3 * OFTEN; i++) {
                assertThat(failing.of(text(1))).isNull();
            }
        }

        assertThat(tried).containsExactly(text(1));
    }

    @Test
    void nothingIsCompiledAfterClosing() {
        programs.close();

        assertThat(askOften(text(1))).isNull();
        assertThat(compiled).isEmpty();
    }
}
