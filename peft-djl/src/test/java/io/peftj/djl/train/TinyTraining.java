package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.DType;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Backbones;
import io.peftj.djl.engine.EngineOptions;
import io.peftj.djl.engine.TorchBackend;
import io.peftj.testkit.TinyModels;
import io.peftj.testkit.reference.ReferenceBackend;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/** Opens tiny models and checks that nothing of a test is left in memory. */
public abstract class TinyTraining {
    /** Fresh for each test. */
    @TempDir
    protected Path folder;

    private final Backend backend = newBackend();

    protected Backend newBackend() {
        return ReferenceBackend.rounding();
    }

    protected static Backend engine() {
        return TorchBackend.open(EngineOptions.defaults().withThreads(1));
    }

    @AfterEach
    void nothingIsLeft() {
        assertThat(backend.memory().liveBytes()).as("bytes alive").isZero();
        backend.close();
    }

    protected Backend backend() {
        return backend;
    }

    protected Backbone bert() {
        return bert(backend);
    }

    protected Backbone bert(Backend other) {
        return Backbones.load(TinyModels.bert(folder.resolve("bert"), 1), other, DType.F32);
    }

    protected Backbone llama() {
        return Backbones.load(TinyModels.llama(folder.resolve("llama"), 1), backend, DType.F32);
    }

    protected static AdapterTrainer<LabelledText> opinions(Backbone base, AdapterConfig config) {
        return AdapterTrainer.on(base)
                .method(config)
                .task(Tasks.classification(Sentences.LABELS).maxLength(16))
                .batchSize(8)
                .learningRate(1e-2)
                .epochs(1);
    }

    protected static AdapterTrainer<PromptAnswer> colours(Backbone base, AdapterConfig config) {
        return AdapterTrainer.on(base)
                .method(config)
                .task(Tasks.answers())
                .batchSize(4)
                .learningRate(3e-2)
                .schedule(Schedule.constant());
    }

    protected static void assertEqual(Adapter found, Adapter expected) {
        assertThat(found.parameters().keySet()).isEqualTo(expected.parameters().keySet());
        expected.parameters()
                .forEach(
                        (name, value) -> assertThat(found.parameters().get(name).values())
                                .as(name)
                                .isEqualTo(value.values()));
    }

    protected static void assertClose(Adapter found, Adapter expected, double tolerance) {
        assertThat(found.parameters().keySet()).isEqualTo(expected.parameters().keySet());
        expected.parameters().forEach((name, value) -> {
            float[] values = found.parameters().get(name).values();
            for (int i = 0; i < values.length; i++) {
                assertThat((double) values[i]).as("%s[%d]", name, i).isCloseTo(value.values()[i], offset(tolerance));
            }
        });
    }

    /** Hashes of all weights. */
    protected static Map<String, Integer> weights(Backbone base) {
        Map<String, Integer> hashes = new LinkedHashMap<>();
        for (String name : base.spec().parameters().keySet()) {
            hashes.put(name, Arrays.hashCode(base.parameter(name).orElseThrow().values()));
        }
        return hashes;
    }
}
