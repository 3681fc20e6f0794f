package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.PeftException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.Pooling;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.tensor.DType;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Backbones;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.testkit.TinyModels;
import io.peftj.testkit.reference.ReferenceBackend;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClassificationTrainingTest {
    private final ReferenceBackend backend = ReferenceBackend.rounding();

    @TempDir
    private Path folder;

    private Backbone base;

    @BeforeEach
    void open() {
        base = Backbones.load(TinyModels.bert(folder, 1), backend, DType.F32);
    }

    @AfterEach
    void close() {
        base.close();
        assertThat(backend.memory().liveBytes()).isZero();
        backend.close();
    }

    private AdapterTrainer<LabelledText> trainer() {
        return AdapterTrainer.on(base)
                .method(LoraConfig.builder().rank(4).build())
                .task(Tasks.classification(Sentences.LABELS).maxLength(16))
                .batchSize(8)
                .learningRate(1e-2);
    }

    @Test
    void learnsTheClassesOfTexts() {
        List<Evaluation> evaluations = new ArrayList<>();
        Adapter adapter = trainer()
                .epochs(25)
                .learningRate(5e-2)
                .listener(new TrainingListener() {
                    @Override
                    public void onEvaluation(TrainingEvent.Evaluated event) {
                        evaluations.add(event.result());
                    }
                })
                .fit(Sentences.opinions(), Sentences.opinions());

        assertThat(evaluations).hasSize(25);
        assertThat(evaluations.get(24).accuracy()).hasValue(1);
        assertThat(evaluations.get(24).loss()).isLessThan(0.1);
        assertThat(adapter.task().labels()).isEqualTo(Sentences.LABELS);
        assertThat(adapter.task().maxLength()).isEqualTo(16);
        assertThat(adapter.task().pooling()).isEqualTo(Pooling.MEAN);
        assertThat(adapter.config().taskType()).isEqualTo(TaskType.FEATURE_EXTRACTION);
        assertThat(adapter.parameters()).containsKeys("base_model.model.classifier.weight");
        assertThat(adapter.fingerprint()).isEqualTo(base.fingerprint().encode());
    }

    @Test
    void equalRunsGiveEqualBytes() {
        Adapter one = trainer().epochs(1).seed(5).fit(Sentences.opinions());
        Adapter two = trainer().epochs(1).seed(5).fit(Sentences.opinions());
        Adapter other = trainer().epochs(1).seed(6).fit(Sentences.opinions());

        one.parameters()
                .forEach((name, value) ->
                        assertThat(two.parameters().get(name).values()).as(name).isEqualTo(value.values()));
        String weight = "base_model.model.classifier.weight";
        assertThat(other.parameters().get(weight).values())
                .isNotEqualTo(one.parameters().get(weight).values());
    }

    @Test
    void refusesALabelTheTaskDoesNotKnow() {
        assertThatThrownBy(() -> trainer().fit(List.of(new LabelledText("the film is good", "prais"))))
                .isInstanceOf(PeftException.class)
                .hasMessageContaining("row 0 (\"the film is good\") has the label \"prais\"")
                .hasMessageContaining("known are [praise, blame]");
    }

    @Test
    void refusesToTrainOnNothing() {
        assertThatThrownBy(() -> trainer().fit(List.of()))
                .isInstanceOf(PeftException.class)
                .hasMessageContaining("give at least one row");
    }

    @Test
    void refusesAConfigurationForAnotherTask() {
        LoraConfig config = LoraConfig.builder().taskType(TaskType.CAUSAL_LM).build();
        assertThatThrownBy(() -> AdapterTrainer.on(base)
                        .method(config)
                        .task(Tasks.classification(Sentences.LABELS))
                        .fit(Sentences.opinions()))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("task type is CAUSAL_LM")
                .hasMessageContaining("FEATURE_EXTRACTION");
    }
}
