package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.Adapter;
import io.peftj.djl.backbone.Backbone;
import io.peftj.methods.lora.LoraConfig;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class EvaluationTest extends TinyTraining {
    private static final int EPOCHS = 6;

    private static final LoraConfig LORA = LoraConfig.builder().rank(4).build();

    @Test
    void accuracyIsTheShareOfRowsThatAreRight() {
        assertThat(Scores.accuracy(List.of(0, 1, 2, 1), List.of(0, 1, 1, 2))).isEqualTo(0.5);
    }

    /** As sklearn.metrics.f1_score(labels, found, average="macro"): .8, .4, 0 and 0; class 4 is found but never right, class 9 appears nowhere. */
    @Test
    void macroF1IsTheMeanOverTheClassesThatAppear() {
        List<Integer> labels = List.of(0, 0, 0, 1, 1, 2);
        List<Integer> found = List.of(0, 0, 1, 1, 4, 1);
        assertThat(Scores.macroF1(labels, found)).isCloseTo((0.8 + 0.4 + 0 + 0) / 4, within(1e-12));
        assertThat(Scores.macroF1(labels, labels)).isEqualTo(1);
    }

    @Test
    void theBestIsWhatAMetricSaysAndThenTheLowerLoss() {
        Evaluation first = evaluation(0.5, 0.8, 0.6);
        Evaluation second = evaluation(0.4, 0.7, 0.65);
        Evaluation third = evaluation(0.45, 0.8, 0.6);
        assertThat(first.betterThan(second, Metric.ACCURACY)).isTrue();
        assertThat(first.betterThan(second, Metric.MACRO_F1)).isFalse();
        assertThat(second.betterThan(first, Metric.MACRO_F1)).isTrue();
        assertThat(second.betterThan(first, Metric.LOSS)).isTrue();
        assertThat(third.betterThan(first, Metric.ACCURACY)).isTrue();
        assertThat(first.betterThan(first, Metric.ACCURACY)).isFalse();
        assertThatThrownBy(() -> first.get(Metric.PERPLEXITY))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("there is no perplexity for this task; there are loss and [")
                .hasMessageContainingAll("accuracy", "macro_f1");
    }

    private static Evaluation evaluation(double loss, double accuracy, double macroF1) {
        return new Evaluation(loss, 10, Map.of(Metric.ACCURACY, accuracy, Metric.MACRO_F1, macroF1));
    }

    @Test
    void metricsAreKnownByName() {
        for (Metric metric : List.of(Metric.LOSS, Metric.PERPLEXITY, Metric.ACCURACY, Metric.MACRO_F1)) {
            assertThat(Metric.of(metric.name())).isEqualTo(metric);
        }
        assertThat(Metric.of("recall@10")).isEqualTo(Metric.recallAt(10));
        assertThatThrownBy(() -> Metric.of("f1"))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage("the metric: expected one of [loss, perplexity, accuracy, macro_f1] or recall@k such as"
                        + " recall@5, found \"f1\"");
        assertThatThrownBy(() -> Metric.recallAt(0))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessage("recall at k: expected a k of at least 1, found 0");
    }

    /** What counts as the best decides which adapter is returned. */
    @Test
    void theChosenMetricDecidesWhichAdapterIsReturned() {
        try (Backbone base = bert()) {
            // Which seed makes loss and accuracy disagree about the best epoch depends on the processor's rounding.
            long seed = LongStream.rangeClosed(1, 20)
                    .filter(some -> accuracyPrefersAnother(evaluations(base, some)))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError("no seed tells loss from accuracy"));
            List<TrainingEvent.Evaluated> evaluations = new ArrayList<>();
            Adapter byLoss = trainer(base, EPOCHS, seed, evaluations)
                    .bestBy(Metric.LOSS)
                    .fit(Sentences.opinions(), Sentences.opinions());
            int best = 0;
            for (int i = 1; i < evaluations.size(); i++) {
                boolean lower = evaluations.get(i).result().loss()
                        < evaluations.get(best).result().loss();
                assertThat(evaluations.get(i).best()).isEqualTo(lower);
                best = lower ? i : best;
            }
            Adapter untilThere =
                    trainer(base, best + 1, seed, new ArrayList<>()).fit(Sentences.opinions());
            assertEqual(byLoss, untilThere);
        }
    }

    private static List<TrainingEvent.Evaluated> evaluations(Backbone base, long seed) {
        List<TrainingEvent.Evaluated> evaluations = new ArrayList<>();
        trainer(base, EPOCHS, seed, evaluations).bestBy(Metric.LOSS).fit(Sentences.opinions(), Sentences.opinions());
        return evaluations;
    }

    private static boolean accuracyPrefersAnother(List<TrainingEvent.Evaluated> evaluations) {
        Evaluation lowestLoss = evaluations.stream()
                .map(TrainingEvent.Evaluated::result)
                .min(Comparator.comparingDouble(Evaluation::loss))
                .orElseThrow();
        return evaluations.stream().anyMatch(event -> event.result().betterThan(lowestLoss, Metric.ACCURACY));
    }

    /** Such a rate keeps breaking what was learnt: loss and accuracy have their best at different times. */
    private static AdapterTrainer<LabelledText> trainer(
            Backbone base, int epochs, long seed, List<TrainingEvent.Evaluated> evaluations) {
        return opinions(base, LORA)
                .epochs(epochs)
                .seed(seed)
                .learningRate(0.3)
                .schedule(Schedule.constant())
                .listener(new TrainingListener() {
                    @Override
                    public void onEvaluation(TrainingEvent.Evaluated event) {
                        evaluations.add(event);
                    }
                });
    }

    @Test
    void refusesAMetricThatTheTaskDoesNotMeasure() {
        try (Backbone base = bert()) {
            assertThatThrownBy(
                            () -> opinions(base, LORA).bestBy(Metric.PERPLEXITY).fit(Sentences.opinions()))
                    .isInstanceOf(InvalidConfigException.class)
                    .hasMessage("the best adapter cannot be found by perplexity: the task's evaluations have [accuracy,"
                            + " macro_f1, loss]; choose one of these");
        }
    }
}
