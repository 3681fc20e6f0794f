package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.io.Json;
import io.peftj.djl.backbone.Backbone;
import io.peftj.methods.ia3.Ia3Config;
import io.peftj.methods.pedro.PedroActivation;
import io.peftj.methods.pedro.PedroConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** PEDRO's activations learn from validation rows, all else from training rows. */
class BilevelTest extends TinyTraining {
    private static final PedroConfig PEDRO = PedroConfig.builder().rank(4).build();
    private static final Bilevel BILEVEL = new Bilevel(PedroActivation.coefficients(), 1e-2);
    private static final List<PromptAnswer> SOME = Sentences.colours().subList(0, 2);
    private static final List<PromptAnswer> OTHERS = Sentences.colours().subList(2, 4);

    private static AdapterTrainer<PromptAnswer> trainer(Backbone base) {
        return colours(base, PEDRO).clipNorm(0).batchSize(1).epochs(1).bestBy(Metric.LOSS);
    }

    private static boolean isCoefficient(String name) {
        return BILEVEL.has(name);
    }

    @Test
    void eachLevelLearnsFromItsOwnRows() {
        try (Backbone base = llama()) {
            Adapter untrained = trainer(base).untrained();
            Adapter plain = trainer(base).batchSize(2).fit(SOME);

            Adapter some = trainer(base).batchSize(2).bilevel(BILEVEL).fit(SOME, SOME);
            Adapter others = trainer(base).batchSize(2).bilevel(BILEVEL).fit(SOME, OTHERS);

            // One step: below, all but the coefficients, from where plain training starts too; above, the coefficients
            // alone.
            plain.parameters().forEach((name, value) -> {
                float[] above = some.parameters().get(name).values();
                float[] aboveOfOthers = others.parameters().get(name).values();
                if (isCoefficient(name)) {
                    assertThat(above)
                            .as(name)
                            .isNotEqualTo(untrained.parameters().get(name).values());
                    assertThat(aboveOfOthers).as(name).isNotEqualTo(above);
                } else {
                    assertThat(above).as(name).isEqualTo(value.values());
                    assertThat(aboveOfOthers).as(name).isEqualTo(value.values());
                }
            });
        }
    }

    @Test
    void anInterruptedTrainingGoesOnToTheSameBytes() {
        try (Backbone base = llama()) {
            Adapter expected = trainer(base).epochs(3).bilevel(BILEVEL).fit(SOME, OTHERS);
            Checkpoints checkpoints = Checkpoints.in(folder.resolve("run")).everySteps(1);
            AtomicBoolean cancelled = new AtomicBoolean();
            assertThatThrownBy(() -> trainer(base)
                            .epochs(3)
                            .bilevel(BILEVEL)
                            .checkpoints(checkpoints)
                            .cancelWhen(cancelled::get)
                            .listener(new TrainingListener() {
                                @Override
                                public void onStep(TrainingEvent.Step event) {
                                    cancelled.set(event.step() == 3);
                                }
                            })
                            .fit(SOME, OTHERS))
                    .isInstanceOf(TrainingCancelledException.class);

            Adapter resumed = trainer(base)
                    .epochs(3)
                    .bilevel(BILEVEL)
                    .checkpoints(checkpoints.resume())
                    .fit(SOME, OTHERS);

            assertEqual(resumed, expected);
        }
    }

    @Test
    void refusesWhatHasNoSuchLevels() {
        try (Backbone base = llama()) {
            assertThatThrownBy(() -> trainer(base).bilevel(BILEVEL).fit(SOME))
                    .isInstanceOf(InvalidConfigException.class)
                    .hasMessage("training on two levels: expected validation rows, from which [.activation.numerator,"
                            + " .activation.denominator] learn, found none; give some, or train on one level");
            assertThatThrownBy(() -> colours(base, Ia3Config.builder().build())
                            .bilevel(BILEVEL)
                            .fit(SOME, OTHERS))
                    .isInstanceOf(InvalidConfigException.class)
                    .hasMessageStartingWith(
                            "the upper level has parameters whose names end in \".activation.numerator\", but"
                                    + " none of those that are trained does, such as ");
            assertThatThrownBy(() -> trainer(base)
                            .bilevel(new Bilevel(List.of("t", "r", "e"), 1))
                            .fit(SOME, OTHERS))
                    .isInstanceOf(InvalidConfigException.class)
                    .hasMessageContaining("the upper level has ");
        }
        assertThatThrownBy(() -> new Bilevel(List.of(), 1))
                .hasMessage("the parameters of the upper level: expected at least one end of a name");
        assertThatThrownBy(() -> new Bilevel(List.of("x"), 0))
                .hasMessage("the upper level's learning rate: expected a number above 0, found 0.0");
    }

    @Test
    void whatLeavesAnActivationsRangeIsToldAfterEachEpoch() throws IOException {
        Path file = folder.resolve("metrics.jsonl");
        try (Backbone base = llama()) {
            trainer(base).epochs(2).listener(JsonLinesMetrics.to(file)).fit(SOME);
            colours(base, Ia3Config.builder().build())
                    .listener(JsonLinesMetrics.to(folder.resolve("ia3.jsonl")))
                    .fit(SOME);
        }
        List<ConfigReader> lines = Files.readAllLines(file).stream()
                .filter(line -> line.contains("\"measurement\""))
                .map(line -> ConfigReader.of(Json.parse(line, "metrics"), "metrics"))
                .toList();
        assertThat(lines).extracting(line -> line.requiredInt("epoch")).containsExactly(1, 2);
        assertThat(lines).extracting(line -> line.requiredInt("step")).containsExactly(2, 4);
        assertThat(lines)
                .allSatisfy(line -> assertThat(line.requiredDouble("activation_out_of_range"))
                        .isBetween(0.0, 0.2));
        assertThat(folder.resolve("ia3.jsonl")).content().doesNotContain("measurement");
    }
}
