package io.peftj.djl.backbone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import io.peftj.core.IncompatibleAdapterException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.LoadOptions;
import io.peftj.core.adapter.TaskData;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.io.SafetensorsWriter;
import io.peftj.core.io.StoredTensor;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.djl.train.BackboneContext;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.testkit.TinyModels;
import io.peftj.testkit.reference.ReferenceBackend;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What PEFT's files hold beside the adapter. */
class AdapterLoaderTest {
    @TempDir
    private Path folder;

    private static Adapter adapter(Backbone base, LoraConfig settings) {
        LoraConfig config = AdapterMethods.complete(base.spec(), settings);
        AdapterPlan plan = AdapterMethods.plan(base.spec(), config);
        Map<String, HostTensor> values = plan.initialise(new BackboneContext(base, base.spec(), 1));
        return new Adapter("LORA", config, values, TaskData.NONE, null, new JsonObject());
    }

    private Path save(Adapter adapter, Map<String, HostTensor> more) {
        Path saved = folder.resolve("adapter");
        adapter.save(saved);
        Map<String, HostTensor> all = new LinkedHashMap<>(adapter.parameters());
        all.putAll(more);
        SafetensorsWriter.write(
                saved.resolve("adapter_model.safetensors"),
                all.entrySet().stream()
                        .map(entry -> StoredTensor.f32(entry.getKey(), entry.getValue()))
                        .toList(),
                Map.of());
        return saved;
    }

    /** PEFT's all-linear has it in encoders whose output is pooled by means, where nothing reads it. */
    @Test
    void anUnusedPoolerIsLeftOut() {
        Path model = TinyModels.bert(folder.resolve("model"), 1);
        try (ReferenceBackend backend = ReferenceBackend.exact();
                Backbone base = Backbones.load(model, backend, DType.F32)) {
            int width = base.spec().width();
            Adapter own = adapter(
                    base,
                    LoraConfig.builder()
                            .rank(2)
                            .targets("query")
                            .taskType(TaskType.FEATURE_EXTRACTION)
                            .build());
            LoraConfig pooling = ((LoraConfig) own.config())
                    .toBuilder().targets("query", "pooler.dense").build();
            Path saved = save(
                    own.with(pooling, own.parameters()),
                    Map.of(
                            "base_model.model.pooler.dense.lora_A.weight",
                            HostTensor.filled(Shape.of(2, width), 1),
                            "base_model.model.pooler.dense.lora_B.weight",
                            HostTensor.filled(Shape.of(width, 2), 1)));

            assertThat(AdapterLoader.load(saved, base).parameters())
                    .containsOnlyKeys(own.parameters().keySet());
        }
    }

    @Test
    void anotherBasesAdapterActsWhereThatIsAskedFor() {
        try (ReferenceBackend backend = ReferenceBackend.exact();
                Backbone one = Backbones.load(TinyModels.llama(folder.resolve("one"), 1), backend, DType.F32);
                Backbone two = Backbones.load(TinyModels.llama(folder.resolve("two"), 2), backend, DType.F32)) {
            Adapter plain = adapter(one, LoraConfig.builder().rank(2).build());
            Path saved = folder.resolve("adapter");
            new Adapter(
                            plain.type(),
                            plain.config(),
                            plain.parameters(),
                            plain.task(),
                            one.fingerprint().encode(),
                            plain.otherKeys())
                    .save(saved);

            assertThatThrownBy(() -> AdapterLoader.load(saved, two))
                    .isInstanceOf(IncompatibleAdapterException.class)
                    .hasMessageContaining("does not belong to the base model");
            Adapter lenient = AdapterLoader.load(saved, two, LoadOptions.LENIENT);
            assertThatCode(() -> AdapterLoader.resident(two, "lenient", lenient).close())
                    .doesNotThrowAnyException();
        }
    }

    @Test
    void copiesOfAnotherBaseAreRefused() {
        Path model = TinyModels.llama(folder.resolve("model"), 1);
        try (ReferenceBackend backend = ReferenceBackend.exact();
                Backbone base = Backbones.load(model, backend, DType.F32)) {
            Adapter own = adapter(
                    base, LoraConfig.builder().rank(2).targets("embed_tokens").build());
            String copy = "base_model.model.model.embed_tokens.base_layer.weight";
            HostTensor embedding = base.parameter("model.embed_tokens.weight").orElseThrow();

            Path same = save(own, Map.of(copy, embedding));
            assertThatCode(() -> AdapterLoader.load(same, base)).doesNotThrowAnyException();

            Path other = save(own, Map.of(copy, HostTensor.filled(embedding.shape(), 3)));
            assertThatThrownBy(() -> AdapterLoader.load(other, base))
                    .isInstanceOf(IncompatibleAdapterException.class)
                    .hasMessageStartingWith(
                            "the adapter (LORA) does not belong to the base model: it came with a copy of"
                                    + " the base's, in which value 0 of 64 taken from model.embed_tokens.weight is 3.0 there")
                    .hasMessageEndingWith("; load it with the base model it was trained on");

            Adapter lenient = AdapterLoader.load(other, base, LoadOptions.LENIENT);
            assertThatCode(() ->
                            AdapterLoader.resident(base, "lenient", lenient).close())
                    .doesNotThrowAnyException();
        }
    }
}
