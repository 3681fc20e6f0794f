package io.peftj.djl.backbone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.TaskData;
import io.peftj.core.io.ModelDirectory;
import io.peftj.core.run.Batch;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.run.Row;
import io.peftj.core.run.Run;
import io.peftj.core.run.Stack;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.CounterRandom;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
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

    private static <C extends AdapterConfig> Adapter random(Backbone base, C config) {
        C complete = AdapterMethods.complete(base.spec(), config);
        AdapterPlan plan = AdapterMethods.plan(base.spec(), complete);
        Map<String, HostTensor> values = new LinkedHashMap<>();
        for (ParameterSpec parameter : plan.stored()) {
            long key = CounterRandom.key(3, parameter.name());
            values.put(parameter.name(), CounterRandom.of(key).normal(parameter.shape(), 0.5));
        }
        String type = AdapterMethods.of(complete).type();
        return new Adapter(type, complete, values, TaskData.NONE, null, new JsonObject());
    }

    private static double[] logits(Backbone base, @Nullable ResidentAdapter adapter) {
        return base.call("logits", session -> {
            Stack stack = adapter == null ? Stack.BASE : Stack.of(adapter.in(session));
            Batch batch = Batch.of(session, base.spec(), List.of(Row.of(stack, 0, 3, 14, 15, 9, 2, 6)));
            Run run = new Run(session, batch, null);
            return base.outputs()
                    .logits(run, base.transformer().hiddenStates(run), batch.tokens())
                    .toDoubles();
        });
    }
}
