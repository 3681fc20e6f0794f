package io.peftj.djl.backbone;

import static io.peftj.djl.backbone.RandomAdapters.logits;
import static io.peftj.djl.backbone.RandomAdapters.random;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import io.peftj.core.PeftException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.io.Json;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.DType;
import io.peftj.methods.bitfit.BitFitConfig;
import io.peftj.methods.ia3.Ia3Config;
import io.peftj.testkit.TinyModels;
import io.peftj.testkit.reference.ReferenceBackend;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models whose layers get biases that they did not have, by merging BitFit. */
class AddedBiasesTest {
    private static final Backend BACKEND = ReferenceBackend.exact();
    private static final BitFitConfig BIT_FIT = new BitFitConfig(List.of(), TaskType.CAUSAL_LM);

    @TempDir
    private Path folder;

    @Test
    void llamaIsExportedByItsConfigurationsKeys() {
        Path model = TinyModels.llama(folder.resolve("model"), 1);
        double[] expected;
        try (Backbone base = Backbones.load(model, BACKEND, DType.F32);
                ResidentAdapter resident = AdapterLoader.resident(base, "biases", biases(base));
                Backbone merged = base.merged(biases(base))) {
            expected = logits(base, resident);
            assertThat(logits(merged, null)).containsExactly(expected, within(1e-6));
            assertThat(merged.spec().site("model.layers.0.mlp.up_proj").bias()).isTrue();
            ModelExport.of(model).write(merged, folder.resolve("merged"));
        }

        JsonObject config = Json.read(folder.resolve("merged").resolve("config.json"));
        assertThat(config.get("attention_bias").getAsBoolean()).isTrue();
        assertThat(config.get("mlp_bias").getAsBoolean()).isTrue();
        try (Backbone reopened = Backbones.load(folder.resolve("merged"), BACKEND, DType.F32)) {
            assertThat(logits(reopened, null)).containsExactly(expected, within(1e-6));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"qwen2", "qwen3"})
    void modelsWithoutSuchKeysAreNotExported(String architecture) {
        Path model = architecture.equals("qwen2")
                ? TinyModels.qwen2(folder.resolve("model"), 1)
                : TinyModels.qwen3(folder.resolve("model"), 1);
        try (Backbone base = Backbones.load(model, BACKEND, DType.F32);
                Backbone merged = base.merged(biases(base))) {
            assertThatThrownBy(() -> ModelExport.of(model).write(merged, folder.resolve("merged")))
                    .isInstanceOf(PeftException.class)
                    .hasMessageContaining(
                            "transformers' " + base.spec().architecture()
                                    + " has no settings for biases like the adapter's, such as model.layers.0.mlp.down_proj.bias")
                    .hasMessageContaining("keep the adapter beside its base instead");
        }
        assertThat(folder.resolve("merged")).doesNotExist();
    }

    /** Scales of outputs take biases along that an adapter before them has brought. */
    @Test
    void anotherAdapterIsMergedIntoThem() {
        Path model = TinyModels.llama(folder.resolve("model"), 1);
        try (Backbone base = Backbones.load(model, BACKEND, DType.F32);
                Backbone merged = base.merged(biases(base));
                ResidentAdapter scales = AdapterLoader.resident(
                        merged, "scales", random(merged, Ia3Config.builder().build()));
                Backbone both = merged.merged(scales, null)) {
            assertThat(logits(both, null)).containsExactly(logits(merged, scales), within(1e-6));
        }
    }

    private static Adapter biases(Backbone base) {
        return random(base, BIT_FIT);
    }
}
