package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.PeftException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.Pooling;
import io.peftj.core.adapter.TaskType;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.serve.Classifier;
import io.peftj.methods.head.HeadConfig;
import io.peftj.methods.ia3.Ia3Config;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.methods.pedro.PedroConfig;
import io.peftj.methods.prefix.PrefixConfig;
import io.peftj.methods.reft.ReftConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ClassificationTrainingTest extends TinyTraining {
    private static final LoraConfig LORA = LoraConfig.builder().rank(4).build();
    private static final ClassificationTask TASK =
            Tasks.classification(Sentences.LABELS).maxLength(16);

    @Test
    void learnsTheClassesOfTexts() {
        try (Backbone base = bert()) {
            List<Evaluation> evaluations = new ArrayList<>();
            Adapter adapter = opinions(base, LORA)
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
            assertThat(adapter.type()).isEqualTo("LORA");
            assertThat(adapter.task().labels()).isEqualTo(Sentences.LABELS);
            assertThat(adapter.task().maxLength()).isEqualTo(16);
            assertThat(adapter.task().pooling()).isEqualTo(Pooling.MEAN);
            assertThat(adapter.task().tokenizerFingerprint())
                    .isEqualTo(base.tokenizer().fingerprint());
            assertThat(adapter.config().taskType()).isEqualTo(TaskType.FEATURE_EXTRACTION);
            assertThat(adapter.parameters()).containsKeys("base_model.model.classifier.weight");
            assertThat(adapter.fingerprint()).isEqualTo(base.fingerprint().encode());
        }
    }

    private static List<AdapterConfig> methods() {
        return List.of(
                LORA,
                Ia3Config.builder().build(),
                PrefixConfig.builder().virtualTokens(4).build(),
                ReftConfig.builder().rank(4).build(),
                PedroConfig.builder().rank(4).build(),
                HeadConfig.ofTask());
    }

    @ParameterizedTest
    @MethodSource("methods")
    void everyMethodTrainsItsHead(AdapterConfig config) {
        try (Backbone base = bert()) {
            List<Double> losses = new ArrayList<>();
            opinions(base, config)
                    .epochs(10)
                    .learningRate(3e-2)
                    .listener(new TrainingListener() {
                        @Override
                        public void onEpoch(TrainingEvent.Epoch event) {
                            losses.add(event.loss());
                        }
                    })
                    .fit(Sentences.opinions());
            assertThat(losses.get(9)).isLessThan(losses.get(0) * 0.95);
        }
    }

    @Test
    void decodersClassifyByTheirLastToken() {
        try (Backbone base = llama()) {
            Adapter adapter = opinions(base, LORA).fit(Sentences.opinions());
            assertThat(adapter.parameters()).containsKeys("base_model.model.score.weight");
            assertThat(adapter.config().taskType()).isEqualTo(TaskType.SEQ_CLS);
            assertThat(adapter.task().pooling()).isEqualTo(Pooling.LAST);
        }
    }

    @Test
    void theBaseStaysAsItWasBitForBit() {
        try (Backbone base = bert()) {
            Map<String, Integer> before = weights(base);
            opinions(base, LORA).fit(Sentences.opinions());
            assertThat(weights(base)).isEqualTo(before).hasSizeGreaterThan(30);
        }
    }

    @Test
    void microBatchesTakeTheStepsOfWholeBatches() {
        try (Backbone base = bert()) {
            LoraConfig config = LORA.toBuilder().dropout(0.3).build();
            Adapter whole = opinions(base, config).fit(Sentences.opinions());
            Adapter portions = opinions(base, config).microBatchSize(3).fit(Sentences.opinions());
            assertClose(portions, whole, 1e-5);
        }
    }

    @Test
    void microBatchesOfSmoothedAndWeightedClassesTakeTheStepsOfWholeBatches() {
        try (Backbone base = bert()) {
            ClassificationTask task = TASK.labelSmoothing(0.2).classWeights(Map.of("praise", 3.0));
            Adapter whole = fit(base, task, trainer -> trainer);
            Adapter portions = fit(base, task, trainer -> trainer.microBatchSize(3));
            assertClose(portions, whole, 1e-5);
        }
    }

    @Test
    void aClassThatWeighsTwiceTrainsLikeOneWithItsRowsTwice() {
        try (Backbone base = bert()) {
            List<LabelledText> twice = new ArrayList<>(Sentences.opinions());
            Sentences.opinions().stream()
                    .filter(row -> row.label().equals("blame"))
                    .forEach(twice::add);
            Adapter repeated = AdapterTrainer.on(base)
                    .method(LORA)
                    .task(TASK)
                    .batchSize(100)
                    .epochs(3)
                    .fit(twice);
            Adapter weighted = AdapterTrainer.on(base)
                    .method(LORA)
                    .task(TASK.classWeights(Map.of("blame", 2.0)))
                    .batchSize(100)
                    .epochs(3)
                    .fit(Sentences.opinions());
            assertClose(weighted, repeated, 1e-5);
        }
    }

    /** PyTorch's CrossEntropyLoss(weight, label_smoothing), written out: the classes' weights stand in the smoothed part too, and divide it all. */
    @Test
    void theLossIsThatOfSmoothedAndWeightedClasses() {
        try (Backbone base = bert()) {
            double smoothing = 0.2;
            Map<String, Double> weights = Map.of("praise", 3.0, "blame", 0.5);
            List<LabelledText> rows = Sentences.opinions().subList(0, 7);
            List<Double> losses = new ArrayList<>();
            AdapterTrainer<LabelledText> trainer = AdapterTrainer.on(base)
                    .method(LORA)
                    .task(TASK.labelSmoothing(smoothing).classWeights(weights))
                    .epochs(1)
                    .listener(new TrainingListener() {
                        @Override
                        public void onStep(TrainingEvent.Step event) {
                            losses.add(event.loss());
                        }
                    });
            double expected = 0;
            double all = 0;
            try (Classifier classifier = Classifier.of(base, trainer.untrained())) {
                for (LabelledText row : rows) {
                    Map<String, Double> found = classifier.classify(row.text()).probabilities();
                    double own = weights.get(row.label());
                    expected -= (1 - smoothing) * own * Math.log(found.get(row.label()));
                    for (String label : Sentences.LABELS) {
                        expected -= smoothing / 2 * weights.get(label) * Math.log(found.get(label));
                    }
                    all += own;
                }
            }
            trainer.fit(rows);
            assertThat(losses).hasSize(1);
            assertThat(losses.get(0)).isCloseTo(expected / all, within(1e-5));
        }
    }

    @Test
    void balancedClassesCountAlike() {
        List<LabelledText> rows = List.of(
                new LabelledText("a", "praise"),
                new LabelledText("b", "praise"),
                new LabelledText("c", "praise"),
                new LabelledText("d", "blame"));
        // As scikit-learn's class_weight="balanced" has them.
        assertThat(TASK.balancedOver(rows).classWeights()).isEqualTo(Map.of("praise", 4 / 6.0, "blame", 2.0));
    }

    @Test
    void refusesWeightsAndSmoothingThatMakeNoSense() {
        assertThatThrownBy(() -> TASK.classWeights(Map.of("prais", 1.0)))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage(
                        "the class weights: \"prais\" is none of the task's labels, which are [praise, blame]; correct its spelling");
        assertThatThrownBy(() -> TASK.classWeights(Map.of("praise", 0.0)))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("the class weight of \"praise\": expected a number above 0, found 0.0");
        assertThatThrownBy(() -> TASK.labelSmoothing(1))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage("the label smoothing: expected 0 or more and below 1, found 1.0; 0.1 is usual");
        assertThatThrownBy(() -> Tasks.answers().labelSmoothing(Double.NaN))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("found NaN");
    }

    private static Adapter fit(
            Backbone base, ClassificationTask task, UnaryOperator<AdapterTrainer<LabelledText>> settings) {
        return settings.apply(AdapterTrainer.on(base)
                        .method(LORA)
                        .task(task)
                        .batchSize(8)
                        .learningRate(1e-2)
                        .epochs(1))
                .fit(Sentences.opinions());
    }

    @Test
    void refusesALabelTheTaskDoesNotKnow() {
        try (Backbone base = bert()) {
            assertThatThrownBy(() -> opinions(base, LORA).fit(List.of(new LabelledText("the film is good", "prais"))))
                    .isInstanceOf(PeftException.class)
                    .hasMessageContaining("row 0 (\"the film is good\") has the label \"prais\"")
                    .hasMessageContaining("known are [praise, blame]");
        }
    }

    @Test
    void refusesLabelsThatAreNoChoice() {
        assertThatThrownBy(() -> Tasks.classification(List.of("a", "b", "a")))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("at least two, each once, found [a, b, a]");
    }

    @Test
    void rowsMayComeFromStreams() {
        try (Backbone base = bert()) {
            Adapter ofLists = opinions(base, LORA).fit(Sentences.opinions(), Sentences.opinions());
            assertEqual(
                    opinions(base, LORA).fit(Sentences.opinions().stream(), Sentences.opinions().stream()), ofLists);
            assertEqual(opinions(base, LORA).fit(Sentences.opinions().stream()), ofLists);
        }
    }

    @Test
    void refusesToTrainOnNothing() {
        try (Backbone base = bert()) {
            assertThatThrownBy(() -> opinions(base, LORA).fit(List.of()))
                    .isInstanceOf(PeftException.class)
                    .hasMessageContaining("give at least one row");
        }
    }

    @Test
    void refusesAConfigurationForAnotherTask() {
        try (Backbone base = bert()) {
            assertThatThrownBy(() -> opinions(base, LORA.withTaskType(TaskType.CAUSAL_LM))
                            .fit(Sentences.opinions()))
                    .isInstanceOf(InvalidConfigException.class)
                    .hasMessageContaining("task type is CAUSAL_LM")
                    .hasMessageContaining("FEATURE_EXTRACTION");
        }
    }

    @Test
    void refusesNumbersThatAreOutOfRange() {
        try (Backbone base = bert()) {
            assertThatThrownBy(() -> opinions(base, LORA).learningRate(-1).fit(Sentences.opinions()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("the learning rate: expected a number above 0, found -1.0");
        }
    }

    @Test
    void returnsTheBestAdapterAndStopsEarly() {
        try (Backbone base = bert()) {
            List<TrainingEvent.Evaluated> evaluations = new ArrayList<>();
            List<TrainingEvent.End> ends = new ArrayList<>();
            // Such a rate breaks what was learnt soon.
            Adapter adapter = opinions(base, LORA)
                    .epochs(30)
                    .learningRate(3)
                    .schedule(Schedule.constant())
                    .earlyStopping(2)
                    .listener(new TrainingListener() {
                        @Override
                        public void onEvaluation(TrainingEvent.Evaluated event) {
                            evaluations.add(event);
                        }

                        @Override
                        public void onEnd(TrainingEvent.End event) {
                            ends.add(event);
                        }
                    })
                    .fit(Sentences.opinions(), Sentences.opinions());

            assertThat(ends)
                    .singleElement()
                    .satisfies(end -> assertThat(end.reason()).isEqualTo(TrainingEvent.Reason.STOPPED_EARLY));
            int last = evaluations.size() - 1;
            assertThat(evaluations.get(last).best()).isFalse();
            assertThat(evaluations.get(last - 1).best()).isFalse();
            assertThat(evaluations.get(last - 2).best()).isTrue();

            Adapter untilThere = opinions(base, LORA)
                    .epochs(last - 1)
                    .learningRate(3)
                    .schedule(Schedule.constant())
                    .fit(Sentences.opinions());
            assertEqual(adapter, untilThere);
        }
    }
}
