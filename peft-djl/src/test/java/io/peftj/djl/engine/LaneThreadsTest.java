package io.peftj.djl.engine;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.pytorch.jni.JniUtils;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How the threads of an operation are shared by tasks side by side. */
class LaneThreadsTest {
    @ParameterizedTest
    @CsvSource({"0, 4", "1, 4", "2, 2", "3, 1", "4, 1", "5, 1"})
    void tasksHaveAllThreadsBetweenThem(int tasks, int threadsOfEach) {
        try (TorchBackend backend = TorchBackend.open(EngineOptions.defaults().withThreads(4))) {
            Callable<Integer> threads = JniUtils::getNumThreads;

            assertThat(backend.callAll(Collections.nCopies(2, threads))).isEqualTo(List.of(2, 2));
            assertThat(backend.callAll(Collections.nCopies(tasks, threads)))
                    .isEqualTo(Collections.nCopies(tasks, threadsOfEach));
            assertThat(backend.call(threads)).as("the rest of a step").isEqualTo(4);
        }
    }
}
