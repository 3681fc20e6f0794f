package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.PeftException;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.Pooling;
import io.peftj.core.run.Batch;
import io.peftj.core.run.Row;
import io.peftj.core.run.Run;
import io.peftj.core.run.Stack;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Updates.AdamW;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.train.Example.Assigned;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.methods.prompt.PromptConfig;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What virtual tokens mean for labels, losses and pooling. */
class VirtualTokensTest extends TinyTraining {
    private static final OptimizerStep.Settings STILL =
            new OptimizerStep.Settings(new AdamW(0, 0.9, 0.999, 1e-8, 0), 1, null);

    private static TrainableAdapter prompt(Backbone base) {
        AdapterPlan plan = AdapterMethods.plan(
                base.spec(),
                AdapterMethods.complete(
                        base.spec(), PromptConfig.builder().virtualTokens(3).build()));
        return TrainableAdapter.start(base, "prompt", plan, plan.initialise(new BackboneContext(base, base.spec(), 3)));
    }

    private static double loss(Backbone base, TrainableAdapter adapter, Example... examples) {
        List<Assigned> rows = Arrays.stream(examples)
                .map(example -> new Assigned(example, List.of(0)))
                .toList();
        OptimizerStep step = new OptimizerStep(base, new Objective.NextToken(), List.of(adapter), 0);
        return base.call("step", session -> step.take(session, List.of(rows), STILL))
                .loss();
    }

    @Test
    void textsLearnTheirFirstTokenBehindAPromptAlone() {
        try (Backbone base = llama();
                TrainableAdapter prompt = prompt(base)) {
            AdapterPlan lora = AdapterMethods.plan(
                    base.spec(),
                    AdapterMethods.complete(base.spec(), LoraConfig.builder().build()));
            List<String> texts = List.of("the book is red");
            Example behind =
                    Tasks.text(64).examples(base, prompt.plan().plan(), texts).get(0);
            Example bare = Tasks.text(64).examples(base, lora, texts).get(0);

            assertThat(behind.isLearnt(0)).isTrue();
            assertThat(behind.learnt()).isEqualTo(behind.length());
            assertThat(bare.isLearnt(0)).isFalse();
            assertThat(bare.learnt()).isEqualTo(bare.length() - 1);
            // Evaluations measure the same of both.
            assertThat(behind.measured()).isEqualTo(bare.measured()).isEqualTo(bare.learnt());
        }
    }

    @Test
    void onlySecondHalvesAreLearntWhereMethodsAreCompared() {
        try (Backbone base = llama();
                TrainableAdapter prompt = prompt(base)) {
            for (AdapterPlan plan : List.of(
                    prompt.plan().plan(),
                    AdapterMethods.plan(
                            base.spec(),
                            AdapterMethods.complete(
                                    base.spec(), LoraConfig.builder().build())))) {
                for (Example window : Tasks.text(5).secondHalves().examples(base, plan, List.of("the book is red"))) {
                    int half = (window.length() + 1) / 2;
                    assertThat(window.learnt()).isEqualTo(window.length() - half);
                    assertThat(window.measured()).isEqualTo(window.learnt());
                    assertThat(window.isLearnt(half - 1)).isFalse();
                    assertThat(window.isLearnt(half)).isTrue();
                }
            }
        }
    }

    @Test
    void theLossIsTheMeanOverAllTokensAndEvaluationsLeaveTheFirstOut() {
        try (Backbone base = llama();
                TrainableAdapter prompt = prompt(base)) {
            Example all = Example.answered(0, 0, 7, 8, 9);
            Example rest = Example.answered(0, 1, 7, 8, 9);
            double first = 3 * loss(base, prompt, all) - 2 * loss(base, prompt, rest);
            assertThat(first).isCloseTo(loss(base, prompt, Example.answered(0, 0, 7)), within(1e-5));

            Predictor predictor = new Predictor(base, session -> Stack.of(prompt.in(session)), () -> false);
            Evaluation found = new Objective.NextToken().evaluate(predictor, List.of(all));

            assertThat(found).isEqualTo(new Objective.NextToken().evaluate(predictor, List.of(rest)));
            assertThat(found.learnt()).isEqualTo(2);
            assertThat(found.loss()).isCloseTo(loss(base, prompt, rest), within(1e-5));
        }
    }

    @Test
    void aFirstTokenWithNothingBeforeItIsRefused() {
        try (Backbone base = llama()) {
            AdapterPlan plan = AdapterMethods.plan(
                    base.spec(),
                    AdapterMethods.complete(base.spec(), LoraConfig.builder().build()));
            try (TrainableAdapter lora = TrainableAdapter.start(
                    base, "lora", plan, plan.initialise(new BackboneContext(base, base.spec(), 3)))) {
                assertThatThrownBy(() -> loss(base, lora, Example.answered(4, 0, 7, 8)))
                        .isInstanceOf(PeftException.class)
                        .hasMessage("example 4 learns the first token of its row, which has nothing before it; begin"
                                + " with the second, or use an adapter with virtual tokens");
            }
        }
    }

    @Test
    void meansAreOverRealTokensAndFirstPlacesAreVirtual() {
        try (Backbone base = bert();
                TrainableAdapter prompt = prompt(base)) {
            base.call("pool", session -> {
                Stack stack = Stack.of(prompt.in(session));
                Batch batch = Batch.of(
                        session,
                        base.spec(),
                        List.of(Row.of(stack, 0, 7, 8), Row.of(Stack.BASE, 1, 5, 6, 7), Row.of(stack, 2, 9)));
                Run run = new Run(session, batch, null);
                Tensor hidden = base.transformer().hiddenStates(run);
                int width = base.spec().width();
                double[] states = hidden.toDoubles();

                for (Pooling pooling : Pooling.values()) {
                    double[] pooled = base.outputs().pool(run, hidden, pooling).toDoubles();
                    for (int row = 0; row < 3; row++) {
                        int begin = batch.layout().begin(row);
                        int end = batch.layout().begin(row + 1);
                        int length = batch.rows().get(row).length();
                        for (int i = 0; i < width; i++) {
                            double expected = 0;
                            for (int t = 0; t < length && pooling == Pooling.MEAN; t++) {
                                expected += states[(end - length + t) * width + i] / length;
                            }
                            if (pooling != Pooling.MEAN) {
                                expected = states[(pooling == Pooling.FIRST ? begin : end - 1) * width + i];
                            }
                            assertThat(pooled[row * width + i])
                                    .as("%s", pooling)
                                    .isCloseTo(expected, within(1e-6));
                        }
                    }
                }
                return true;
            });
        }
    }
}
