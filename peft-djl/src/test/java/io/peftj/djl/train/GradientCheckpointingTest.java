package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.djl.backbone.Backbone;
import io.peftj.methods.lora.LoraConfig;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Layers that are computed again in the backward pass need less memory and change no bit. */
class GradientCheckpointingTest extends TinyTraining {
    private static final List<String> ROWS =
            Collections.nCopies(32, "the film is good and great and the song is awful and dull and the food is red");

    static List<AdapterConfig> methods() {
        return ContinuingTest.methods();
    }

    @Test
    void theSameAdapterIsLearntInLessMemory() {
        try (Backbone base = llama()) {
            AdapterConfig config = LoraConfig.builder().rank(2).dropout(0.2).build();
            Measured plain = trained(base, config, false);
            Measured again = trained(base, config, true);

            assertEqual(again.adapter(), plain.adapter());
            // Two layers save little: the loss and one layer stay.
            assertThat(again.peakBytes()).isLessThan(plain.peakBytes());
        }
    }

    /** Others fail where prefixes meet recomputed layers. */
    @ParameterizedTest
    @MethodSource("methods")
    void everyMethodLearnsTheSameAdapter(AdapterConfig config) {
        try (Backbone base = llama()) {
            assertEqual(
                    trained(base, config, true).adapter(),
                    trained(base, config, false).adapter());
        }
    }

    private record Measured(Adapter adapter, long peakBytes) {}

    private Measured trained(Backbone base, AdapterConfig config, boolean gradientCheckpointing) {
        backend().memory().resetPeak();
        long before = backend().memory().liveBytes();
        Adapter adapter = AdapterTrainer.on(base)
                .method(config)
                .task(Tasks.text(24))
                .batchSize(32)
                .gradientCheckpointing(gradientCheckpointing)
                .epochs(2)
                .fit(ROWS);
        return new Measured(adapter, backend().memory().peakBytes() - before);
    }
}
