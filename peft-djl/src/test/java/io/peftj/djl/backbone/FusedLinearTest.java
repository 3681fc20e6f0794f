package io.peftj.djl.backbone;

import static io.peftj.djl.backbone.RandomAdapters.logits;
import static io.peftj.djl.backbone.RandomAdapters.random;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.io.ModelDirectory;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.FusedWeight;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.djl.engine.EngineOptions;
import io.peftj.djl.engine.TorchBackend;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.testkit.TinyModels;
import io.peftj.testkit.reference.ReferenceBackend;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Layers that share their input are one product; each is a matrix of its own to everybody else. */
class FusedLinearTest {
    @TempDir
    private Path folder;

    /** JUnit closes each after its test. */
    static Stream<Backend> backends() {
        return Stream.of(
                ReferenceBackend.exact(),
                TorchBackend.open(EngineOptions.defaults().withThreads(1)));
    }

    @ParameterizedTest
    @MethodSource("backends")
    void partsKeepTheirValuesAndAreFreedWithTheWhole(Backend backend) {
        for (DType dtype : List.of(DType.F32, DType.BF16)) {
            HostTensor upper = HostTensor.of(Shape.of(2, 3), 1, 2, 3, 4, 5, 6);
            HostTensor lower = HostTensor.of(Shape.of(1, 3), 7, 8, 9);
            FusedWeight fused = backend.fuse(List.of(backend.weight(upper, dtype), backend.weight(lower, dtype)));
            assertThat(backend.dense(fused.whole()).values()).containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9);
            assertThat(fused.parts().stream().map(part -> backend.dense(part).values()))
                    .containsExactly(upper.values(), lower.values());
            backend.free(fused.whole());
            fused.parts().forEach(backend::free);
        }
        assertThat(backend.memory().liveBytes()).isZero();
    }

    @ParameterizedTest
    @MethodSource("backends")
    void aModelShowsEachPartAsInItsFile(Backend backend) {
        Path model = TinyModels.llama(folder, 1);
        try (Backbone base = Backbones.load(model, backend, DType.F32);
                ModelDirectory file = ModelDirectory.open(model)) {
            for (String name : file.names()) {
                assertThat(base.parameter(name).orElseThrow().values())
                        .as(name)
                        .containsExactly(file.find(name).toHostTensor().values());
            }
        }
    }

    /** Whether some of the matrices that stand together are replaced, all of them, or the matrices of one group alone. */
    @ParameterizedTest
    @MethodSource("backends")
    void mergingReplacesAnyOfThem(Backend backend) {
        Path model = TinyModels.llama(folder, 1);
        for (List<String> targets :
                List.of(List.of("q_proj", "v_proj"), List.of("q_proj", "k_proj", "v_proj"), List.of("up_proj"))) {
            LoraConfig config = LoraConfig.builder()
                    .rank(2)
                    .targets(targets.toArray(String[]::new))
                    .build();
            try (Backbone base = Backbones.load(model, backend, DType.F32);
                    ResidentAdapter resident = AdapterLoader.resident(base, "lora", random(base, config));
                    Backbone merged = base.merged(resident, null)) {
                assertThat(logits(merged, null)).containsExactly(logits(base, resident), within(1e-4));
            }
        }
        assertThat(backend.memory().liveBytes()).isZero();
    }
}
