package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.core.adapter.Adapter;
import io.peftj.djl.backbone.Backbone;
import io.peftj.methods.lora.LoraConfig;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Layers that are computed again in the backward pass need less memory and change no bit. */
class GradientCheckpointingTest extends TinyTraining {
    private static final List<String> ROWS =
            Collections.nCopies(32, "the film is good and great and the song is awful and dull and the food is red");

    @Test
    void theSameAdapterIsLearntInLessMemory() {
        try (Backbone base = llama()) {
            Measured plain = trained(base, false);
            Measured again = trained(base, true);

            assertEqual(again.adapter(), plain.adapter());
            // Two layers save little: the loss and one layer stay.
            assertThat(again.peakBytes()).isLessThan(plain.peakBytes());
        }
    }

    private record Measured(Adapter adapter, long peakBytes) {}

    private Measured trained(Backbone base, boolean gradientCheckpointing) {
        backend().memory().resetPeak();
        long before = backend().memory().liveBytes();
        Adapter adapter = AdapterTrainer.on(base)
                .method(LoraConfig.builder().rank(2).dropout(0.2).build())
                .task(Tasks.text(24))
                .batchSize(32)
                .gradientCheckpointing(gradientCheckpointing)
                .epochs(2)
                .fit(ROWS);
        return new Measured(adapter, backend().memory().peakBytes() - before);
    }
}
