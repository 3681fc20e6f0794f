package io.peftj.djl.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.DType;
import io.peftj.djl.engine.EngineOptions;
import io.peftj.djl.engine.TorchBackend;
import io.peftj.djl.generate.Continuation;
import io.peftj.testkit.FaultyBackend;
import io.peftj.testkit.FaultyBackend.InjectedFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Native memory comes back: after every step and call, after errors and cancellations, with many threads, under garbage collections. */
class MemoryTest {
    private static final long MEBIBYTE = 1 << 20;
    /** Of the process, Java's heap included, which grows too. Steps that kept a handle a kernel call would take several times as much. */
    private static final long GROWTH_OF_THE_PROCESS = 32 * MEBIBYTE;

    private static final int FEW = 200;
    private static final int MANY = 2_000;

    private final Backend engine = TestBackends.ENGINE;
    private long atStart;
    private BackboneModel model;

    @BeforeEach
    void open() {
        atStart = engine.memory().liveBytes();
        model = TinyBackbones.llama(engine, DType.F32);
    }

    @AfterEach
    void everythingIsFreed() {
        model.close();
        assertThat(engine.memory().liveBytes()).isEqualTo(atStart);
    }

    // ---- long runs ----

    @Test
    void trainingStepsGiveTheirMemoryBack() {
        trainingGivesItsMemoryBack(FEW);
    }

    @Test
    @Tag("long")
    void thousandsOfTrainingStepsGiveTheirMemoryBack() {
        trainingGivesItsMemoryBack(MANY);
    }

    @Test
    void inferenceGivesItsMemoryBack() {
        inferenceGivesItsMemoryBack(FEW);
    }

    @Test
    @Tag("long")
    void thousandsOfInferenceCallsGiveTheirMemoryBack() {
        inferenceGivesItsMemoryBack(MANY);
    }

    @Test
    void generationGivesItsMemoryBack() {
        generationGivesItsMemoryBack(FEW);
    }

    @Test
    @Tag("long")
    void thousandsOfGenerationsGiveTheirMemoryBack() {
        // Fewer would end while the compiler is at its largest.
        generationGivesItsMemoryBack(3 * MANY);
    }

    private void trainingGivesItsMemoryBack(int steps) {
        try (Workload work = new Workload(model, "trained")) {
            repeat(steps, step -> assertThat(work.step(step)).isFinite());
        }
    }

    private void inferenceGivesItsMemoryBack(int calls) {
        try (Workload work = new Workload(model, "serving")) {
            List<double[]> expected = work.infer();
            repeat(
                    calls,
                    call -> assertThat(work.infer()).usingRecursiveComparison().isEqualTo(expected));
        }
    }

    private void generationGivesItsMemoryBack(int calls) {
        try (Workload work = new Workload(model, "writing")) {
            List<Continuation> expected = work.generate();
            repeat(calls, call -> assertThat(work.generate()).isEqualTo(expected));
        }
    }

    /** Repeats a task after some rounds to warm up, with collections in between, and looks at the backend's memory after each round. */
    private void repeat(int rounds, IntConsumer task) {
        int warmUp = rounds / 4;
        long live = engine.memory().liveBytes();
        OptionalLong before = OptionalLong.empty();
        for (int round = 1; round <= warmUp + rounds; round++) {
            task.accept(round);
            assertThat(engine.memory().liveBytes()).as("round " + round).isEqualTo(live);
            if (round == warmUp) {
                before = processBytes();
            } else if (round % 50 == 0) {
                System.gc();
            }
        }
        OptionalLong after = processBytes();
        if (before.isPresent() && after.isPresent()) {
            assertThat(after.getAsLong() - before.getAsLong())
                    .as("growth of the process in bytes")
                    .isLessThan(GROWTH_OF_THE_PROCESS);
        }
    }

    /** The process's memory after a collection, where the system says. */
    private static OptionalLong processBytes() {
        System.gc();
        Path status = Path.of("/proc/self/status");
        if (!Files.isReadable(status)) {
            return OptionalLong.empty();
        }
        try (Stream<String> lines = Files.lines(status)) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst();
        } catch (IOException e) {
            return OptionalLong.empty();
        }
    }

    // ---- garbage collections ----

    /** Nothing native may hang on an object that Java can collect. */
    @Test
    void collectingGarbageChangesNoResult() {
        int steps = 10;
        List<Double> expected;
        try (Workload work = new Workload(model, "collected")) {
            expected = IntStream.rangeClosed(1, steps).mapToObj(work::step).toList();
        }
        List<Double> found = new ArrayList<>();
        AtomicInteger checks = new AtomicInteger();
        try (Workload work = new Workload(model, "collected")) {
            for (int step = 1; step <= steps; step++) {
                found.add(work.step(step, () -> {
                    if (checks.incrementAndGet() % 29 == 0) {
                        System.gc();
                    }
                    return false;
                }));
            }
        }
        assertThat(found).isEqualTo(expected);
    }

    // ---- errors ----

    @Test
    void aStepThatFailsAnywhereLeavesNothingBehind() {
        stepsFailAtEvery(23);
    }

    @Test
    @Tag("long")
    void aStepThatFailsAtAnyKernelLeavesNothingBehind() {
        stepsFailAtEvery(1);
    }

    private void stepsFailAtEvery(int nth) {
        FaultyBackend counting = FaultyBackend.counting(engine);
        long before;
        long after;
        double expected;
        Map<String, float[]> start;
        try (BackboneModel counted = TinyBackbones.llama(counting, DType.F32);
                Workload work = new Workload(counted, "failing")) {
            start = work.trainedValues();
            before = counting.calls();
            expected = work.step(1);
            after = counting.calls();
        }
        assertThat(after - before).as("kernel calls of a step").isGreaterThan(300);

        for (long call = before; call < after; call += nth) {
            failAt(call, start, expected);
        }
    }

    private void failAt(long call, Map<String, float[]> start, double expected) {
        FaultyBackend failing = FaultyBackend.failingAt(engine, call);
        try (BackboneModel faulty = TinyBackbones.llama(failing, DType.F32);
                Workload work = new Workload(faulty, "failing")) {
            work.trainedValues();
            long live = engine.memory().liveBytes();

            assertThatThrownBy(() -> work.step(1)).as("call " + call).isInstanceOf(InjectedFault.class);

            assertThat(engine.memory().liveBytes()).as("after call " + call).isEqualTo(live);
            assertThat(work.trainedValues()).usingRecursiveComparison().isEqualTo(start);
            assertThat(work.step(1)).as("the step after call " + call).isEqualTo(expected);
        }
    }

    // ---- cancellation ----

    @Test
    void aCancelledForwardLeavesNothingBehind() {
        try (Workload work = new Workload(model, "cancelled")) {
            List<double[]> expected = work.infer();
            long live = engine.memory().liveBytes();
            for (int check = 1; check <= 2; check++) { // once a layer
                AtomicInteger left = new AtomicInteger(check);
                assertThatThrownBy(() -> work.infer(() -> left.decrementAndGet() == 0))
                        .isInstanceOf(CancellationException.class)
                        .hasMessage("the computation was cancelled");
                assertThat(engine.memory().liveBytes()).isEqualTo(live);
            }
            assertThat(work.infer()).usingRecursiveComparison().isEqualTo(expected);
        }
    }

    @Test
    void aCancelledStepChangesNothing() {
        try (Workload work = new Workload(model, "cancelled")) {
            Map<String, float[]> start = work.trainedValues();
            long live = engine.memory().liveBytes();
            AtomicInteger checks = new AtomicInteger();
            work.step(1, () -> {
                checks.incrementAndGet();
                return false;
            });
            Map<String, float[]> stepped = work.trainedValues();
            assertThat(checks.get())
                    .as("chances to stop: two micro-batches of two layers, at the turn, and on the way back")
                    .isGreaterThanOrEqualTo(10);
            for (int check = 1; check <= checks.get(); check++) {
                AtomicInteger left = new AtomicInteger(check);
                assertThatThrownBy(() -> work.step(2, () -> left.decrementAndGet() == 0))
                        .isInstanceOf(CancellationException.class);
                assertThat(engine.memory().liveBytes()).isEqualTo(live);
                assertThat(work.trainedValues()).usingRecursiveComparison().isEqualTo(stepped);
            }
            assertThat(stepped).usingRecursiveComparison().isNotEqualTo(start);
        }
    }

    @Test
    void anInterruptedCallerStopsItsComputation() throws Exception {
        try (Workload work = new Workload(model, "interrupted")) {
            long live = engine.memory().liveBytes();
            CountDownLatch running = new CountDownLatch(1);
            CompletableFuture<Throwable> outcome = new CompletableFuture<>();
            Thread caller = new Thread(() -> {
                try {
                    model.base().call("endless", session -> {
                        while (true) {
                            work.infer(session);
                            running.countDown();
                        }
                    });
                } catch (Throwable e) {
                    outcome.complete(e);
                }
            });
            caller.start();
            running.await();

            caller.interrupt();

            assertThat(outcome.get()).isInstanceOf(CancellationException.class);
            caller.join();
            assertThat(engine.memory().liveBytes()).isEqualTo(live);
            assertThat(work.infer()).hasSize(5);
        }
    }

    // ---- threads ----

    @Test
    void eightThreadsInferAndEightTrainAsIfAlone() throws Exception {
        int steps = 5;
        try (Backend shared =
                TorchBackend.open(EngineOptions.defaults().withThreads(1).withWorkers(4))) {
            try (BackboneModel busy = TinyBackbones.llama(shared, DType.F32)) {
                long live = shared.memory().liveBytes();
                List<double[]> losses = new ArrayList<>();
                List<List<double[]>> logits = new ArrayList<>();
                for (int i = 0; i < 8; i++) {
                    losses.add(train(busy, i, steps));
                    logits.add(infer(busy, i, 1).get(0));
                }
                List<Callable<Object>> tasks = new ArrayList<>();
                for (int i = 0; i < 8; i++) {
                    int tenant = i;
                    tasks.add(() -> train(busy, tenant, steps));
                    tasks.add(() -> infer(busy, tenant, steps));
                }

                List<Object> found = Concurrently.run(tasks);

                for (int i = 0; i < 8; i++) {
                    assertThat(found.get(2 * i)).isEqualTo(losses.get(i));
                    List<double[]> own = logits.get(i);
                    assertThat((List<?>) found.get(2 * i + 1))
                            .hasSize(steps)
                            .allSatisfy(each ->
                                    assertThat(each).usingRecursiveComparison().isEqualTo(own));
                }
                assertThat(shared.memory().liveBytes()).isEqualTo(live);
            }
            assertThat(shared.memory().liveBytes()).isZero();
        }
    }

    private static double[] train(BackboneModel model, int tenant, int steps) {
        try (Workload work = new Workload(model, "tenant " + tenant)) {
            return IntStream.rangeClosed(1, steps).mapToDouble(work::step).toArray();
        }
    }

    private static List<List<double[]>> infer(BackboneModel model, int tenant, int calls) {
        try (Workload work = new Workload(model, "tenant " + tenant)) {
            return IntStream.range(0, calls).mapToObj(call -> work.infer()).toList();
        }
    }
}
