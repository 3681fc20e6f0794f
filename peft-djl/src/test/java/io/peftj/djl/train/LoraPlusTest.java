package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.Adapter;
import io.peftj.djl.backbone.Backbone;
import io.peftj.methods.ia3.Ia3Config;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.methods.lora.LoraInit;
import io.peftj.methods.lora.LoraPlus;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LoraPlusTest extends TinyTraining {
    /** Neither matrix is zero, so that both have gradients at the first step. */
    private static final LoraConfig LORA =
            LoraConfig.builder().rank(4).init(LoraInit.RANDOM).build();

    private static AdapterTrainer<LabelledText> oneStep(Backbone base, double learningRate) {
        return opinions(base, LORA).batchSize(100).schedule(Schedule.constant()).learningRate(learningRate);
    }

    @Test
    void theSecondMatricesLearnFaster() {
        try (Backbone base = bert()) {
            Adapter slow = oneStep(base, 1e-3).fit(Sentences.opinions());
            Adapter fast = oneStep(base, 4e-3).fit(Sentences.opinions());

            Adapter plus =
                    oneStep(base, 1e-3).learningRateFactors(LoraPlus.ratio(4)).fit(Sentences.opinions());

            assertThat(plus.parameters()).isNotEmpty().allSatisfy((name, value) -> {
                Adapter expected = name.endsWith(".lora_B.weight") ? fast : slow;
                assertThat(value.values())
                        .isEqualTo(expected.parameters().get(name).values());
                assertThat(fast.parameters().get(name).values())
                        .isNotEqualTo(slow.parameters().get(name).values());
            });
        }
    }

    @Test
    void aFactorOfNothingIsRefused() {
        try (Backbone base = bert()) {
            assertThatThrownBy(() -> opinions(base, Ia3Config.builder().build())
                            .learningRateFactors(LoraPlus.ratio(LoraPlus.USUAL_RATIO))
                            .fit(Sentences.opinions()))
                    .isInstanceOf(InvalidConfigException.class)
                    .hasMessageContaining("a factor for parameters whose names end in \".lora_B.weight\", but none");
            assertThatThrownBy(() -> opinions(base, LORA)
                            .learningRateFactors(Map.of("lora_B.weight", 0.0))
                            .fit(Sentences.opinions()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("factor for \"lora_B.weight\": expected a number above 0, found 0.0");
        }
    }
}
