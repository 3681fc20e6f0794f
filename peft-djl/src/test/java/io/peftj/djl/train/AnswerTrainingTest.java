package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.PeftException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.TaskType;
import io.peftj.djl.backbone.Backbone;
import io.peftj.methods.ia3.Ia3Config;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.methods.pedro.PedroConfig;
import io.peftj.methods.prefix.PrefixConfig;
import io.peftj.methods.reft.ReftConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class AnswerTrainingTest extends TinyTraining {
    private static final LoraConfig LORA = LoraConfig.builder().rank(4).build();

    private static List<AdapterConfig> methods() {
        return List.of(
                LORA,
                Ia3Config.builder().build(),
                PrefixConfig.builder().virtualTokens(4).build(),
                ReftConfig.builder().rank(2).build(),
                PedroConfig.builder().rank(4).build());
    }

    @ParameterizedTest
    @MethodSource("methods")
    void learnsAnswers(AdapterConfig config) {
        try (Backbone base = llama()) {
            List<Double> losses = new ArrayList<>();
            Adapter adapter = colours(base, config)
                    .epochs(40)
                    .listener(new TrainingListener() {
                        @Override
                        public void onEvaluation(TrainingEvent.Evaluated event) {
                            losses.add(event.result().loss());
                            assertThat(event.result().accuracy()).isEmpty();
                            assertThat(event.result().learnt()).isEqualTo(11);
                        }
                    })
                    .fit(Sentences.colours(), Sentences.colours());
            assertThat(losses.get(39)).isLessThan(losses.get(0) * 0.7);
            assertThat(adapter.config().taskType()).isEqualTo(TaskType.CAUSAL_LM);
        }
    }

    @Test
    void microBatchesTakeTheStepsOfWholeBatches() {
        try (Backbone base = llama()) {
            Adapter whole = colours(base, LORA).epochs(5).fit(Sentences.colours());
            Adapter portions = colours(base, LORA).epochs(5).microBatchSize(1).fit(Sentences.colours());
            assertClose(portions, whole, 1e-5);
        }
    }

    @Test
    void microBatchesOfSmoothedTokensTakeTheStepsOfWholeBatches() {
        try (Backbone base = llama()) {
            AnswerTask task = Tasks.answers().labelSmoothing(0.1);
            assertClose(fit(base, task, 1, Sentences.colours()), fit(base, task, 4, Sentences.colours()), 1e-5);
        }
    }

    @Test
    void microBatchesOfTextsTakeTheStepsOfWholeBatches() {
        try (Backbone base = llama()) {
            List<String> texts = List.of("the film is good and the book is great", "one two three", "a b");
            TextTask task = Tasks.text(5).labelSmoothing(0.1);
            assertClose(fit(base, task, 1, texts), fit(base, task, 4, texts), 1e-5);
        }
    }

    private static <R> Adapter fit(Backbone base, Task<R> task, int microBatch, List<R> rows) {
        return AdapterTrainer.on(base)
                .method(LORA)
                .task(task)
                .batchSize(4)
                .microBatchSize(microBatch)
                .learningRate(3e-2)
                .epochs(3)
                .fit(rows);
    }

    /** (1 − s) · nll + s · (the mean nll of all tokens), over the answers' tokens. */
    @Test
    void theLossOfSmoothedTokensHasTheMeanOverTheVocabulary() {
        try (Backbone base = llama()) {
            List<Double> losses = new ArrayList<>();
            TrainingListener listener = new TrainingListener() {
                @Override
                public void onStep(TrainingEvent.Step event) {
                    losses.add(event.loss());
                }
            };
            for (double smoothing : new double[] {0, 0.25, 0.5}) {
                AdapterTrainer.on(base)
                        .method(LORA)
                        .task(Tasks.answers().labelSmoothing(smoothing))
                        .epochs(1)
                        .listener(listener)
                        .fit(Sentences.colours());
            }
            // Linear in the share; a mean of −log p over all tokens is least where all are equally likely.
            assertThat(losses.get(1)).isCloseTo((losses.get(0) + losses.get(2)) / 2, within(1e-5));
            double uniform = 2 * losses.get(2) - losses.get(0);
            assertThat(uniform).isGreaterThanOrEqualTo(Math.log(base.spec().vocabulary()));
        }
    }

    @Test
    void promptAndAnswerAreTokenisedApartAndTheAnswerEnds() {
        try (Backbone base = llama()) {
            Example example = examples(base, Tasks.answers(), new PromptAnswer("the book is", "very red"))
                    .get(0);
            int[] prompt = base.tokenizer().encodePlain("the book is");
            int[] answer = base.tokenizer().encodePlain("very red");
            assertThat(ids(example))
                    .containsExactly(IntStream.of(prompt[0], prompt[1], prompt[2], answer[0], answer[1], 5)
                            .toArray());
            assertThat(example.answer()).isEqualTo(3);
        }
    }

    @Test
    void aRowThatIsTooLongLosesTheEndOfItsAnswer() {
        try (Backbone base = llama()) {
            Example example = examples(base, Tasks.answers().maxLength(4), new PromptAnswer("the book is", "very red"))
                    .get(0);
            assertThat(example.length()).isEqualTo(4);
            assertThat(example.learnt()).isEqualTo(1);
        }
    }

    @Test
    void refusesAPromptThatLeavesNoRoom() {
        try (Backbone base = llama()) {
            assertThatThrownBy(() ->
                            examples(base, Tasks.answers().maxLength(3), new PromptAnswer("the book is", "very red")))
                    .isInstanceOf(PeftException.class)
                    .hasMessageContaining("row 0's prompt (\"the book is\") has 3 tokens")
                    .hasMessageContaining("no room in 3");
        }
    }

    @Test
    void promptsStandInTheTemplate() {
        try (Backbone base = llama()) {
            AnswerTask task = Tasks.answers().template("one {text} two").endToken(3);
            Example example =
                    examples(base, task, new PromptAnswer("book", "red")).get(0);
            assertThat(base.tokenizer().decode(ids(example))).isEqualTo("one book two red");
            assertThat(example.id(4)).isEqualTo(3);
            assertThat(task.data(base).promptTemplate()).isEqualTo("one {text} two");
            assertThatThrownBy(() -> examples(base, Tasks.answers().template("one two")))
                    .isInstanceOf(InvalidConfigException.class)
                    .hasMessageContaining("has no place for the text; write {text} where it goes");
        }
    }

    @Test
    void textsAreCutIntoWindowsAndARestOfOneTokenIsLeftOut() {
        try (Backbone base = llama()) {
            List<Example> examples =
                    Tasks.text(3).examples(base, plan(base), List.of("a b", "the film is very good one two"));
            assertThat(examples).extracting(Example::length).containsExactly(2, 3, 3);
            assertThat(examples).extracting(Example::answer).containsExactly(1, 1, 1);
            assertThat(examples).extracting(Example::number).containsExactly(0L, 1L, 2L);
        }
    }

    @Test
    void learnsTexts() {
        try (Backbone base = llama()) {
            List<Double> losses = new ArrayList<>();
            List<String> texts = List.of("the film is good and the book is great", "one two three one two three");
            AdapterTrainer.on(base)
                    .method(LORA)
                    .task(Tasks.text(16))
                    .learningRate(3e-2)
                    .epochs(20)
                    .listener(new TrainingListener() {
                        @Override
                        public void onStep(TrainingEvent.Step event) {
                            losses.add(event.loss());
                        }
                    })
                    .fit(texts);
            assertThat(losses.get(19)).isLessThan(losses.get(0) * 0.7);
        }
    }

    private static List<Example> examples(Backbone base, AnswerTask task, PromptAnswer... rows) {
        return task.examples(base, plan(base), List.of(rows));
    }

    private static AdapterPlan plan(Backbone base) {
        return AdapterMethods.plan(base.spec(), AdapterMethods.complete(base.spec(), LORA));
    }

    private static int[] ids(Example example) {
        return IntStream.range(0, example.length()).map(example::id).toArray();
    }
}
