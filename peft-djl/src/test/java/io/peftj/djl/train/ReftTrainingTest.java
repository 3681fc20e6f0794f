package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Updates.AdamW;
import io.peftj.djl.backbone.AdapterLoader;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.train.Example.Assigned;
import io.peftj.methods.reft.ReftConfig;
import io.peftj.methods.reft.ReftVariant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** R keeps orthonormal rows whatever training does; pyreft's lost them where a saved adapter was trained on. */
class ReftTrainingTest extends TinyTraining {
    private static final double ORTHONORMAL = 1e-5;
    private static final ReftConfig CONFIG =
            ReftConfig.builder().rank(4).positions(2, 2).build();

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.MATCH_ANY,
            names = {"LOREFT", "CONSREFT", "LOBIREFT"})
    void rotationsStayOrthonormal(ReftVariant variant) {
        rotationsStayOrthonormal(variant, 200);
    }

    @Test
    @Tag("long")
    void rotationsStayOrthonormalForTenThousandSteps() {
        rotationsStayOrthonormal(ReftVariant.LOREFT, 10_000);
    }

    private void rotationsStayOrthonormal(ReftVariant variant, int steps) {
        try (Backbone base = llama()) {
            AdapterPlan plan = AdapterMethods.plan(
                    base.spec(), CONFIG.toBuilder().variant(variant).build());
            List<Assigned> rows = Tasks.answers().examples(base, plan, Sentences.colours()).stream()
                    .map(example -> new Assigned(example, List.of(0)))
                    .toList();
            Map<String, HostTensor> start = plan.initialise(new BackboneContext(base, base.spec(), 3));
            try (TrainableAdapter trained = TrainableAdapter.start(base, "trained", plan, start)) {
                OptimizerStep step = new OptimizerStep(base, new Objective.NextToken(), List.of(trained), 0);
                for (int n = 1; n <= steps; n++) {
                    OptimizerStep.Settings settings =
                            new OptimizerStep.Settings(new AdamW(1e-2, 0.9, 0.999, 1e-8, 0.01), n, null);
                    base.call("step", session -> step.take(session, List.of(rows), settings));
                }
                Map<String, HostTensor> stored = trained.stored();
                assertOrthonormal(stored);
                stored.forEach((name, value) -> assertThat(value.values())
                        .as(name)
                        .isNotEqualTo(start.get(name).values()));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.MATCH_ANY,
            names = {"LOREFT", "CONSREFT", "LOBIREFT"})
    void rotationsStayOrthonormalWhereASavedAdapterIsTrainedOn(ReftVariant variant) {
        ReftConfig config = CONFIG.toBuilder().variant(variant).build();
        try (Backbone base = llama()) {
            Adapter adapter = colours(base, config).epochs(5).fit(Sentences.colours());
            for (int again = 0; again < 3; again++) {
                AdapterFiles.save(adapter, folder.resolve("adapter " + again));
                Adapter loaded = AdapterLoader.load(folder.resolve("adapter " + again), base);
                assertOrthonormal(loaded.parameters());
                adapter = AdapterTrainer.on(base)
                        .startFrom(loaded)
                        .task(Tasks.answers())
                        .learningRate(3e-2)
                        .batchSize(4)
                        .epochs(10)
                        .fit(Sentences.colours());
                assertOrthonormal(adapter.parameters());
            }
        }
    }

    private static void assertOrthonormal(Map<String, HostTensor> parameters) {
        assertThat(parameters.keySet()).anyMatch(name -> name.endsWith("rotate"));
        parameters.forEach((name, value) -> {
            if (name.endsWith("rotate")) {
                assertThat(orthonormalityError(value)).as(name).isLessThan(ORTHONORMAL);
            }
        });
    }

    /** The largest element of |R·Rᵀ − 1|. */
    private static double orthonormalityError(HostTensor r) {
        int rows = r.shape().dim(0);
        int width = r.shape().dim(1);
        double worst = 0;
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < rows; j++) {
                double product = i == j ? -1 : 0;
                for (int k = 0; k < width; k++) {
                    product += (double) r.values()[i * width + k] * r.values()[j * width + k];
                }
                worst = Math.max(worst, Math.abs(product));
            }
        }
        return worst;
    }
}
