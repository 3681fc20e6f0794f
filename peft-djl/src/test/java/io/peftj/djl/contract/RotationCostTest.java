package io.peftj.djl.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.run.Training;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.MemoryMeter;
import io.peftj.core.tensor.Updates.AdamW;
import io.peftj.djl.generate.Decoder;
import io.peftj.djl.generate.Prompt;
import io.peftj.djl.train.Example;
import io.peftj.djl.train.Example.Assigned;
import io.peftj.djl.train.Objective;
import io.peftj.djl.train.OptimizerStep;
import io.peftj.djl.train.TrainableAdapter;
import io.peftj.methods.reft.ReftConfig;
import io.peftj.methods.reft.ReftVariant;
import io.peftj.testkit.FaultyBackend;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** pyreft makes a rotation R [r, d] of its parameters twice in every forward pass, and holds a [d, d] buffer for each. */
class RotationCostTest {
    private static ReftConfig config(ReftVariant variant) {
        return ReftConfig.builder()
                .variant(variant)
                .rank(2)
                .positions(1, 1)
                .shareWeights(false)
                .build();
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.MATCH_ANY,
            names = {"LOREFT", "CONSREFT", "LOBIREFT"})
    void rotationsAreMadeOnceAStepAndOnceALoad(ReftVariant variant) {
        FaultyBackend counting = FaultyBackend.counting(TestBackends.ENGINE);
        try (BackboneModel model = TinyBackbones.llama(counting, DType.F32)) {
            long rotations = 2L * model.spec().layers(); // at first and at last positions
            TestAdapter adapter = TestAdapter.random("counted", config(variant), model.spec());

            try (TrainableAdapter trained = adapter.trainable(model)) {
                long before = counting.calls("orthonormalRows");
                step(model, trained, 3);
                assertThat(counting.calls("orthonormalRows") - before).isEqualTo(rotations);
            }
            long before = counting.calls("orthonormalRows");
            try (ResidentAdapter loaded = adapter.resident(model)) {
                for (int call = 0; call < 3; call++) {
                    Decoder.on(model.base())
                            .decode(List.of(Prompt.of(2, 3, 14, 15, 9).under(loaded)));
                }
            }
            assertThat(counting.calls("orthonormalRows") - before).isEqualTo(rotations);
        }
    }

    @ParameterizedTest
    @EnumSource
    void nothingHasAsManyElementsAsTheSquareOfTheWidth(ReftVariant variant) {
        Backend engine = TestBackends.ENGINE;
        MemoryMeter memory = engine.memory();
        try (BackboneModel model = TinyBackbones.wideLlama(engine, DType.F32)) {
            int width = model.spec().width();
            long before = memory.liveBytes();
            try (TrainableAdapter trained = TestAdapter.random("measured", config(variant), model.spec())
                    .trainable(model)) {
                long held = memory.liveBytes() - before;
                memory.resetPeak();
                step(model, trained, 1);

                assertThat(held).isLessThan(30L * 2 * width * Float.BYTES);
                assertThat(memory.peakBytes() - before).isLessThan((long) width * width * Float.BYTES);
            }
        }
    }

    private static void step(BackboneModel model, TrainableAdapter trained, int microBatches) {
        List<List<Assigned>> rows = IntStream.range(0, microBatches)
                .mapToObj(n -> List.of(new Assigned(Example.answered(n, 2, 3, 14, 15, 9), List.of(0))))
                .toList();
        OptimizerStep step = new OptimizerStep(model.base(), new Objective.NextToken(), List.of(trained), 0);
        OptimizerStep.Settings settings =
                new OptimizerStep.Settings(new AdamW(1e-3, 0.9, 0.999, 1e-8, 0.01), 1, new Training(1, 1));
        model.base().call("step", session -> step.take(session, rows, settings));
    }
}
