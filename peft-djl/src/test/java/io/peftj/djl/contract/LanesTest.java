package io.peftj.djl.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.tensor.DType;
import io.peftj.djl.engine.EngineOptions;
import io.peftj.djl.engine.TorchBackend;
import io.peftj.testkit.FaultyBackend;
import io.peftj.testkit.FaultyBackend.InjectedFault;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Parts of a batch that are computed side by side give the steps of the whole batch, and nothing stays behind when one fails. */
class LanesTest {
    private static final TorchBackend TWO =
            TorchBackend.open(EngineOptions.defaults().withThreads(2));

    @AfterAll
    static void close() {
        TWO.close();
    }

    @Test
    void twoLanesTakeTheStepsOfOne() {
        try (BackboneModel alone = TinyBackbones.llama(TestBackends.ENGINE, DType.F32);
                BackboneModel beside = TinyBackbones.llama(TWO, DType.F32);
                Workload one = new Workload(alone, "lanes");
                Workload two = new Workload(beside, "lanes");
                Workload again = new Workload(beside, "lanes")) {
            for (int step = 1; step <= 3; step++) {
                double loss = two.step(step);
                assertThat(loss).isCloseTo(one.step(step), within(1e-5));
                assertThat(again.step(step)).as("an equal run").isEqualTo(loss);
            }
            Map<String, float[]> values = two.trainedValues();
            one.trainedValues()
                    .forEach((name, expected) -> assertThat(values.get(name))
                            .as(name)
                            .usingComparatorWithPrecision(1e-4f)
                            .containsExactly(expected));
            assertThat(again.trainedValues()).usingRecursiveComparison().isEqualTo(values);
        }
    }

    @Test
    void aFaultInAPartLeavesNothingBehind() {
        long live = TWO.memory().liveBytes();
        FaultyBackend counting = FaultyBackend.counting(TWO);
        long calls;
        try (BackboneModel counted = TinyBackbones.llama(counting, DType.F32);
                Workload work = new Workload(counted, "failing")) {
            long before = counting.calls();
            work.step(1);
            calls = counting.calls() - before;
        }
        for (int nth = 0; nth < 12; nth++) {
            failAt(nth * calls / 12);
        }
        assertThat(TWO.memory().liveBytes()).isEqualTo(live);
    }

    /** Fails at a call of the first step. */
    private static void failAt(long call) {
        FaultyBackend counting = FaultyBackend.counting(TWO);
        long loading;
        try (BackboneModel counted = TinyBackbones.llama(counting, DType.F32);
                Workload ignored = new Workload(counted, "failing")) {
            loading = counting.calls();
        }
        FaultyBackend failing = FaultyBackend.failingAt(TWO, loading + call);
        try (BackboneModel faulty = TinyBackbones.llama(failing, DType.F32);
                Workload work = new Workload(faulty, "failing")) {
            long live = TWO.memory().liveBytes();
            assertThatThrownBy(() -> work.step(1)).as("call " + call).isInstanceOf(InjectedFault.class);
            assertThat(TWO.memory().liveBytes()).as("after call " + call).isEqualTo(live);
        }
    }

    @Test
    void cancellingStopsAllParts() {
        try (BackboneModel model = TinyBackbones.llama(TWO, DType.F32);
                Workload work = new Workload(model, "cancelled")) {
            Map<String, float[]> start = work.trainedValues();
            long live = TWO.memory().liveBytes();
            for (int checks : new int[] {1, 2, 5, 7}) {
                AtomicInteger left = new AtomicInteger(checks);
                assertThatThrownBy(() -> work.step(1, () -> left.decrementAndGet() < 0))
                        .as(checks + " checks")
                        .isInstanceOf(CancellationException.class);
                assertThat(TWO.memory().liveBytes()).isEqualTo(live);
            }
            assertThat(work.trainedValues()).usingRecursiveComparison().isEqualTo(start);
        }
    }
}
