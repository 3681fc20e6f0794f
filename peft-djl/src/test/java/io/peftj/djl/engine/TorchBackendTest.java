package io.peftj.djl.engine;

import static io.peftj.djl.engine.Engines.SHARED;
import static io.peftj.djl.engine.Engines.compute;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.PeftException;
import io.peftj.core.tensor.Buffer;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import java.io.IOException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class TorchBackendTest {

    private static TorchBackend small() {
        return TorchBackend.open(EngineOptions.defaults().withThreads(1));
    }

    @Test
    void openingItKeepsDjlFromReportingHome() {
        assertThat(SHARED.memory()).isNotNull();
        assertThat(System.getProperty("OPT_OUT_TRACKING")).isEqualTo("true");
    }

    @Test
    void tasksRunOnItsThreadsAndNestedTasksAtOnce() {
        Thread outer = SHARED.call(Thread::currentThread);
        assertThat(outer).isNotSameAs(Thread.currentThread());
        assertThat(outer.getName()).startsWith("peft-engine-");
        Thread inner = SHARED.call(() -> {
            Thread mine = Thread.currentThread();
            assertThat(SHARED.call(Thread::currentThread)).isSameAs(mine);
            return mine;
        });
        assertThat(inner).isSameAs(outer);
    }

    @Test
    void whatATaskThrowsReachesItsCaller() {
        assertThatThrownBy(() -> SHARED.call(() -> {
                    throw new IllegalArgumentException("mine");
                }))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("mine");
        assertThatThrownBy(() -> SHARED.call(() -> {
                    throw new IOException("disk");
                }))
                .isInstanceOf(PeftException.class)
                .hasMessage("a task on the backend failed: disk")
                .hasCauseInstanceOf(IOException.class);
        assertThatThrownBy(() -> SHARED.call(() -> {
                    throw new AssertionError("an error");
                }))
                .isInstanceOf(AssertionError.class);
    }

    @Test
    void interruptingTheCallerCancelsTheTask() throws InterruptedException {
        CountDownLatch running = new CountDownLatch(1);
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        AtomicReference<Boolean> stillInterrupted = new AtomicReference<>();
        Thread caller = new Thread(() -> {
            try {
                SHARED.call(() -> {
                    try (Session session = Session.open(SHARED)) {
                        running.countDown();
                        while (true) {
                            session.checkCancelled();
                        }
                    }
                });
            } catch (CancellationException e) {
                thrown.set(e);
                stillInterrupted.set(Thread.currentThread().isInterrupted());
            }
        });
        caller.start();
        running.await();
        caller.interrupt();
        caller.join();
        assertThat(thrown.get()).isInstanceOf(CancellationException.class);
        assertThat(stillInterrupted.get()).isTrue();
        assertThat(SHARED.call(() -> Thread.currentThread().isInterrupted()))
                .as("the next task")
                .isFalse();
    }

    @Test
    void aTaskCancelledBeforeItBeganNeverRuns() throws InterruptedException {
        CountDownLatch occupied = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        Thread first = new Thread(() -> SHARED.call(() -> {
            occupied.countDown();
            release.await();
            return true;
        }));
        first.start();
        occupied.await();
        AtomicReference<String> outcome = new AtomicReference<>("nothing");
        Thread second = new Thread(() -> {
            Thread.currentThread().interrupt();
            try {
                SHARED.call(() -> {
                    outcome.set("it ran");
                    return true;
                });
            } catch (CancellationException e) {
                outcome.set(e.getMessage());
            }
        });
        second.start();
        // Its interrupt is seen as soon as it waits; then it waits for the first task's end.
        while (second.getState() != Thread.State.WAITING || second.isInterrupted()) {
            Thread.onSpinWait();
        }
        release.countDown();
        first.join();
        second.join();
        assertThat(outcome.get()).isEqualTo("the task was cancelled before it began");
    }

    @Test
    void afterClosingEveryUseIsRefusedByName() {
        TorchBackend backend = small();
        Buffer x = backend.call(() -> backend.kernels().upload(new float[] {1}, Shape.of(1), DType.F32));
        backend.close();
        backend.close();
        assertThatThrownBy(() -> backend.call(() -> true))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("call: the backend is closed");
        assertThatThrownBy(() -> backend.kernels().softmax(x))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("softmax: the backend is closed");
        x.release();
        assertThat(backend.memory().liveBytes()).isZero();
    }

    @Test
    void aTaskCannotCloseWhatItRunsOn() {
        assertThatThrownBy(() -> SHARED.call(() -> {
                    SHARED.close();
                    return true;
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("close: a backend cannot be closed by a task that runs on it");
    }

    @Test
    void libtorchsErrorsNameTheKernelAndItsArguments() {
        compute(session -> {
            Tensor a = session.zeros(Shape.of(2, 3), DType.F32);
            Tensor b = session.zeros(Shape.of(4, 5), DType.F32);
            assertThatThrownBy(() -> SHARED.kernels().matmul(a.buffer(), b.buffer()))
                    .isInstanceOf(PeftException.class)
                    .hasMessageStartingWith("the kernel matmul failed on F32[2, 3], F32[4, 5], false: ")
                    .hasMessageContaining("(2x3 and 4x5)");
        });
    }

    @Test
    void freedBuffersAreRefused() {
        Buffer x = SHARED.call(() -> SHARED.kernels().zeros(Shape.of(2), DType.F32));
        x.release();
        assertThatThrownBy(() -> SHARED.kernels().softmax(x))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("softmax: the buffer F32[2] was freed");
    }

    @Test
    void buffersOfAnotherBackendAreRefused() {
        var reference = io.peftj.testkit.reference.ReferenceBackend.exact();
        Buffer foreign = reference.kernels().zeros(Shape.of(2), DType.F32);
        assertThatThrownBy(() -> SHARED.kernels().softmax(foreign))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("belongs to another backend");
        var weight = reference.weight(HostTensor.of(Shape.of(1, 1), 1), DType.F32);
        assertThatThrownBy(() -> SHARED.dense(weight))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("belongs to another backend");
    }

    @Test
    void optionsAreChecked() {
        assertThatThrownBy(() -> EngineOptions.defaults().onDevice("gpu"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("device should be cpu or cuda:n with n from 0, found \"gpu\"");
        assertThatThrownBy(() -> EngineOptions.defaults().withThreads(0))
                .hasMessage("threads should be at least 1, found 0");
        assertThatThrownBy(() -> EngineOptions.defaults().withWorkers(0))
                .hasMessage("workers should be at least 1, found 0");
    }

    @Test
    void aMissingGpuIsSaid() {
        assertThatThrownBy(() -> TorchBackend.open(EngineOptions.defaults().onDevice("cuda:77")))
                .isInstanceOf(PeftException.class)
                .hasMessageStartingWith("device cuda:77 is not there: libtorch finds ");
    }
}
