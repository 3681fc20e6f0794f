package io.peftj.djl.diagnose;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.run.Row;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Backbones;
import io.peftj.djl.train.BackboneContext;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.methods.pedro.PedroActivation;
import io.peftj.methods.pedro.PedroConfig;
import io.peftj.testkit.TinyModels;
import io.peftj.testkit.reference.ReferenceBackend;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PromptVectorsTest {
    /** The longer one first, so that the batch's order is another. */
    private static final List<int[]> PROMPTS =
            List.of(new int[] {3, 14, 15, 9, 2, 6}, new int[] {5, 8}, new int[] {7, 7, 7});

    private static final PedroConfig PEDRO = PedroConfig.builder().rank(4).build();

    @TempDir
    private Path folder;

    private Backend backend;
    private Backbone base;

    @BeforeEach
    void open() {
        backend = ReferenceBackend.exact();
        base = Backbones.load(TinyModels.llama(folder, 1), backend, DType.F32);
    }

    @AfterEach
    void close() {
        base.close();
        assertThat(backend.memory().liveBytes()).isZero();
        backend.close();
    }

    private AdapterPlan plan(PedroConfig config) {
        return AdapterMethods.plan(base.spec(), AdapterMethods.complete(base.spec(), config));
    }

    private Map<String, HostTensor> initial(PedroConfig config) {
        return plan(config).initialise(new BackboneContext(base, base.spec(), 3));
    }

    private PromptVectors read(PedroConfig config, Map<String, HostTensor> values, List<int[]> prompts) {
        try (ResidentAdapter adapter = ResidentAdapter.load(base, "pedro", plan(config), values)) {
            return PromptVectors.of(
                    base,
                    adapter::in,
                    stack -> IntStream.range(0, prompts.size())
                            .mapToObj(i -> Row.of(stack, i, prompts.get(i)))
                            .toList(),
                    () -> false);
        }
    }

    private static Map<String, HostTensor> randomised(Map<String, HostTensor> initial, String end, double deviation) {
        Map<String, HostTensor> values = new LinkedHashMap<>(initial);
        values.replaceAll((name, value) -> name.endsWith(end)
                ? CounterRandom.of(CounterRandom.key(1, name)).normal(value.shape(), deviation)
                : value);
        return values;
    }

    @Test
    void aNewAdapterMultipliesByOne() {
        PromptVectors found = read(PEDRO, initial(PEDRO), PROMPTS);

        assertThat(found.layers()).hasSize(2);
        for (PromptVectors.Layer layer : found.layers()) {
            assertThat(layer.outputs().stream().map(Object::toString))
                    .containsExactly(
                            "model.layers." + layer.layer() + ".self_attn.q_proj",
                            "model.layers." + layer.layer() + ".self_attn.v_proj",
                            "model.layers." + layer.layer() + ".mlp.up_proj");
            int size = layer.outputs().stream().mapToInt(each -> each.size()).sum();
            assertThat(layer.vectors())
                    .hasSize(PROMPTS.size())
                    .allSatisfy(vector -> assertThat(vector).hasSize(size).containsOnly(1));
        }
    }

    @Test
    void eachPromptHasItsOwnVectorsInTheCallersOrder() {
        Map<String, HostTensor> values = randomised(initial(PEDRO), "up.weight", 0.5);

        PromptVectors together = read(PEDRO, values, PROMPTS);

        for (int prompt = 0; prompt < PROMPTS.size(); prompt++) {
            PromptVectors alone = read(PEDRO, values, List.of(PROMPTS.get(prompt)));
            for (int layer = 0; layer < 2; layer++) {
                assertThat(together.layers().get(layer).vectors().get(prompt))
                        .containsExactly(alone.layers().get(layer).vectors().get(0), within(1e-12))
                        .isNotEqualTo(together.layers().get(layer).vectors().get((prompt + 1) % 3));
            }
        }
    }

    /** What was pooled has elements of a size around 1 behind the norm, and W_down's are within ±1/√d, so that z is within ±1 mostly. */
    @Test
    void behindTheNormTheActivationStaysInItsRange() {
        assertThat(read(PEDRO, initial(PEDRO), PROMPTS).shareOutside()).hasValue(0);

        PromptVectors large = read(PEDRO, randomised(initial(PEDRO), "down.weight", 30), PROMPTS);
        assertThat(large.shareOutside().orElseThrow()).isGreaterThan(0.7);
        assertThat(large.layers().get(0).inside()).hasSize(PROMPTS.size());
    }

    @Test
    void functionsWithoutARangeAreNotWatched() {
        PedroConfig gelu = PedroConfig.builder()
                .rank(4)
                .activation(PedroActivation.Fixed.GELU)
                .build();

        assertThat(read(gelu, initial(gelu), PROMPTS).shareOutside()).isEmpty();
    }

    @Test
    void otherAdaptersMakeNone() {
        assertThat(PromptVectors.areMadeBy(plan(PEDRO))).isTrue();
        assertThat(PromptVectors.areMadeBy(AdapterMethods.plan(
                        base.spec(),
                        AdapterMethods.complete(
                                base.spec(), LoraConfig.builder().build()))))
                .isFalse();
    }
}
