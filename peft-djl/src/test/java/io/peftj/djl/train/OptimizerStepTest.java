package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.peftj.core.PeftException;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.run.Training;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Updates.AdamW;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.train.Example.Assigned;
import io.peftj.methods.ia3.Ia3Config;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.methods.pedro.PedroConfig;
import io.peftj.methods.prefix.PrefixConfig;
import io.peftj.methods.reft.ReftConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OptimizerStepTest extends TinyTraining {
    private static final Map<String, AdapterConfig> CONFIGS = Map.of(
            "lora", LoraConfig.builder().rank(4).dropout(0.2).build(),
            "ia3", Ia3Config.builder().build(),
            "pedro", PedroConfig.builder().rank(2).build(),
            "loreft", ReftConfig.builder().rank(2).build(),
            "prefix", PrefixConfig.builder().virtualTokens(3).build());

    private static TrainableAdapter adapter(Backbone base, String name) {
        BackboneSpec spec = base.spec();
        AdapterPlan plan = AdapterMethods.plan(spec, AdapterMethods.complete(spec, CONFIGS.get(name)));
        return TrainableAdapter.start(base, name, plan, plan.initialise(new BackboneContext(base, spec, 3)));
    }

    private static OptimizerStep.Result step(
            Backbone base, List<TrainableAdapter> adapters, List<List<Assigned>> microBatches) {
        OptimizerStep step = new OptimizerStep(base, new Objective.NextToken(), adapters, 1);
        return base.call(
                "step",
                session -> step.take(
                        session,
                        microBatches,
                        new OptimizerStep.Settings(new AdamW(1e-2, 0.9, 0.999, 1e-8, 0), 1, new Training(7, 1))));
    }

    private static List<Example> examples(Backbone base, TrainableAdapter adapter) {
        return Tasks.answers().examples(base, adapter.plan().plan(), Sentences.colours());
    }

    @Test
    void eachStackOfAMixedBatchTrainsAsIfAlone() {
        try (Backbone base = llama()) {
            List<String> names = List.of("prefix", "lora", "ia3");
            List<TrainableAdapter> mixed =
                    names.stream().map(name -> adapter(base, name)).toList();
            List<Assigned> rows = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                for (int a = 0; a < 3; a++) {
                    // Tenants are not equally busy.
                    if (i <= a + 1) {
                        rows.add(new Assigned(examples(base, mixed.get(a)).get(i), List.of(a)));
                    }
                }
            }
            OptimizerStep.Result together =
                    step(base, mixed, List.of(rows.subList(0, 5), rows.subList(5, rows.size())));
            double losses = 0;
            for (int a = 0; a < 3; a++) {
                try (TrainableAdapter alone = adapter(base, names.get(a))) {
                    int number = a;
                    List<Assigned> own = rows.stream()
                            .filter(row -> row.adapters().contains(number))
                            .map(row -> new Assigned(row.example(), List.of(0)))
                            .toList();
                    OptimizerStep.Result solo = step(base, List.of(alone), List.of(own));
                    losses += solo.loss();
                    assertThat(together.gradientNorms().get(a))
                            .isCloseTo(solo.gradientNorms().get(0), offset(1e-5));
                    assertClose(mixed.get(a).stored(), alone.stored());
                }
            }
            assertThat(together.loss()).isCloseTo(losses, offset(1e-5));
            mixed.forEach(TrainableAdapter::close);
        }
    }

    @Test
    void rowsWithoutATrainedAdapterWeighNothing() {
        try (Backbone base = llama();
                TrainableAdapter with = adapter(base, "lora");
                TrainableAdapter without = adapter(base, "lora")) {
            List<Example> examples = examples(base, with);
            Assigned one = new Assigned(examples.get(0), List.of(0));
            Assigned base1 = new Assigned(examples.get(1), List.of());
            step(base, List.of(with), List.of(List.of(one, base1)));
            step(base, List.of(without), List.of(List.of(one)));
            assertClose(with.stored(), without.stored());
        }
    }

    /** What is learnt from its first token on would be seen by a method that reads the prompt: there is none to read. */
    @ParameterizedTest
    @ValueSource(strings = {"pedro", "loreft"})
    void refusesARowThatWouldShowWhatIsLearnt(String name) {
        try (Backbone base = llama();
                TrainableAdapter adapter = adapter(base, name)) {
            Assigned row = new Assigned(Example.answered(0, 0, 5, 6, 7), List.of(0));

            assertThatThrownBy(() -> step(base, List.of(adapter), List.of(List.of(row))))
                    .isInstanceOf(PeftException.class)
                    .hasMessage("row 0 has no prompt, which adapter " + name + " reads; give it one token at least");
        }
    }

    @Test
    void refusesABatchThatTrainsNothing() {
        try (Backbone base = llama();
                TrainableAdapter adapter = adapter(base, "lora")) {
            Assigned row = new Assigned(examples(base, adapter).get(0), List.of());
            assertThatThrownBy(() -> step(base, List.of(adapter), List.of(List.of(row))))
                    .isInstanceOf(PeftException.class)
                    .hasMessageContaining("check that the examples' rows carry the adapters that are trained");
        }
    }

    private static void assertClose(Map<String, HostTensor> found, Map<String, HostTensor> expected) {
        assertThat(found.keySet()).isEqualTo(expected.keySet());
        expected.forEach((name, value) -> assertThat(found.get(name).values())
                .as(name)
                .usingComparatorWithPrecision(1e-5f)
                .containsExactly(value.values()));
    }
}
