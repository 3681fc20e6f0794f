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
import io.peftj.core.io.Fingerprint;
import io.peftj.core.io.SafetensorsWriter;
import io.peftj.core.io.StoredTensor;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.djl.engine.TorchBackend;
import io.peftj.djl.train.BackboneContext;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.methods.lora.LoraInit;
import io.peftj.testkit.TinyModels;
import io.peftj.testkit.reference.ReferenceBackend;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

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

    /** PEFT takes what PiSSA starts from out of the base, copies included. */
    @Test
    void copiesWithoutWhatAStartTookAreNotCompared() {
        Path model = TinyModels.llama(folder.resolve("model"), 1);
        try (ReferenceBackend backend = ReferenceBackend.exact();
                Backbone base = Backbones.load(model, backend, DType.F32)) {
            Adapter own = adapter(
                    base,
                    LoraConfig.builder()
                            .rank(2)
                            .targets("lm_head")
                            .init(LoraInit.PISSA)
                            .build());
            HostTensor head = base.parameter("lm_head.weight").orElseThrow();
            Path saved =
                    save(own, Map.of("base_model.model.lm_head.base_layer.weight", HostTensor.filled(head.shape(), 3)));

            assertThatCode(() -> AdapterLoader.load(saved, base)).doesNotThrowAnyException();
        }
    }

    /** Tables and products, whole ends and tied ones, matrices that files have the other way round, vectors. */
    @ParameterizedTest
    @EnumSource(ReferenceOrEngine.class)
    void singleValuesOfAParameterAreItsOwn(ReferenceOrEngine on) {
        try (Backend backend = on.open()) {
            List<Path> models = List.of(
                    TinyModels.llama(folder.resolve("llama"), 1),
                    TinyModels.gpt2(folder.resolve("gpt2"), 1),
                    TinyModels.bert(folder.resolve("bert"), 1));
            for (Path model : models) {
                try (Backbone base = Backbones.load(model, backend, DType.F32)) {
                    for (String name : base.spec().parameters().keySet()) {
                        HostTensor whole = base.parameter(name).orElseThrow();
                        HostTensor inFiles = base.spec().isTransposedInFiles(name) ? whole.transposed() : whole;
                        Fingerprint.Tensor sampled = base.sampled(name).orElseThrow();
                        int size = inFiles.values().length;

                        assertThat(sampled.shape()).as(name).isEqualTo(inFiles.shape());
                        assertThat(sampled.values().at(0, size / 3, size - 1))
                                .as(name)
                                .containsExactly(
                                        inFiles.values()[0], inFiles.values()[size / 3], inFiles.values()[size - 1]);
                    }
                }
            }
        }
    }

    enum ReferenceOrEngine {
        REFERENCE,
        ENGINE;

        Backend open() {
            return this == REFERENCE ? ReferenceBackend.exact() : TorchBackend.open();
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
                    .hasMessageEndingWith(
                            "; load it with the base model it was trained on, or with LoadOptions.LENIENT if this one is to do");

            Adapter lenient = AdapterLoader.load(other, base, LoadOptions.LENIENT);
            assertThatCode(() ->
                            AdapterLoader.resident(base, "lenient", lenient).close())
                    .doesNotThrowAnyException();
        }
    }
}
