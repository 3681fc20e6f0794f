package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.tensor.Backend;
import io.peftj.djl.backbone.Backbone;
import io.peftj.methods.lora.LoraConfig;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class RepeatabilityTest {
    @Nested
    class OnTheReference extends Cases {}

    @Nested
    class OnTheEngine extends Cases {
        @Override
        protected Backend newBackend() {
            return engine();
        }
    }

    abstract static class Cases extends TinyTraining {
        private static final LoraConfig LORA =
                LoraConfig.builder().rank(4).dropout(0.1).build();

        @Test
        void equalSeedsGiveEqualBytesAndOthersDoNot() {
            try (Backbone base = bert()) {
                Adapter one = opinions(base, LORA).seed(5).fit(Sentences.opinions());
                Adapter two = opinions(base, LORA).seed(5).fit(Sentences.opinions());
                Adapter other = opinions(base, LORA).seed(6).fit(Sentences.opinions());
                assertEqual(two, one);
                String weight = "base_model.model.classifier.weight";
                assertThat(other.parameters().get(weight).values())
                        .isNotEqualTo(one.parameters().get(weight).values());
            }
        }

        @Test
        void answersToo() {
            try (Backbone base = llama()) {
                Adapter one = colours(base, LORA).fit(Sentences.colours());
                Adapter two = colours(base, LORA).fit(Sentences.colours());
                assertEqual(two, one);
            }
        }
    }
}
