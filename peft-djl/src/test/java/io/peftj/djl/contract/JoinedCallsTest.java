package io.peftj.djl.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.core.tensor.DType;
import io.peftj.djl.engine.EngineOptions;
import io.peftj.djl.engine.TorchBackend;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Kernels' calls that came up often are joined; what they compute stays the same in every bit. */
class JoinedCallsTest {
    /** Enough for calls that come up once a step, and those that come up in each layer. */
    private static final int STEPS = 40;

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "BF16"})
    void aRunWhoseCallsAreJoinedFromTheStartTakesTheSameSteps(DType dtype) {
        try (TorchBackend backend = TorchBackend.open(EngineOptions.defaults().withThreads(2));
                BackboneModel model = TinyBackbones.llama(backend, dtype)) {
            List<Object> first = run(model);
            List<Object> second = run(model);
            assertThat(second).usingRecursiveComparison().isEqualTo(first);
        }
    }

    private static List<Object> run(BackboneModel model) {
        List<Object> found = new ArrayList<>();
        try (Workload work = new Workload(model, "joined")) {
            for (int step = 1; step <= STEPS; step++) {
                found.add(work.step(step));
                found.add(work.generate());
            }
            found.add(work.trainedValues());
        }
        return found;
    }
}
