package io.peftj.djl.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.train.PromptAnswer;
import io.peftj.djl.train.Sentences;
import io.peftj.djl.train.TinyTraining;
import io.peftj.methods.lora.LoraConfig;
import java.util.List;
import org.junit.jupiter.api.Test;

class LanguageHelpersTest extends TinyTraining {
    private static final LoraConfig LORA = LoraConfig.builder().rank(8).build();

    private static Adapter learnt(Backbone base, AdapterConfig config) {
        return colours(base, config).epochs(150).learningRate(5e-2).fit(Sentences.colours());
    }

    @Test
    void scoresAreSumsOverTheTokens() {
        try (Backbone base = llama()) {
            Scorer scorer = Scorer.of(base);
            Scorer.Score whole = scorer.score(List.of("the film is very good")).get(0);
            assertThat(whole.tokens()).isEqualTo(4);
            List<Scorer.Score> parts = scorer.scoreAnswers(List.of(
                    new PromptAnswer("the", "film"),
                    new PromptAnswer("the film", "is"),
                    new PromptAnswer("the film is", "very good")));
            assertThat(parts).extracting(Scorer.Score::tokens).containsExactly(1, 1, 2);
            assertThat(parts.stream().mapToDouble(Scorer.Score::nll).sum()).isCloseTo(whole.nll(), offset(1e-5));
            assertThat(whole.perToken()).isCloseTo(whole.nll() / 4, offset(1e-12));
        }
    }

    @Test
    void anAdapterMakesWhatItLearntLikelier() {
        try (Backbone base = llama();
                Scorer before = Scorer.of(base);
                Scorer after = Scorer.of(base, learnt(base, LORA))) {
            List<Scorer.Score> old = before.scoreAnswers(Sentences.colours());
            List<Scorer.Score> now = after.scoreAnswers(Sentences.colours());
            for (int i = 0; i < old.size(); i++) {
                assertThat(now.get(i).nll()).isLessThan(old.get(i).nll() / 2);
            }
        }
    }

    @Test
    void embeddingsAreMeansOfStatesWhateverElseIsInTheBatch() {
        try (Backbone base = bert();
                Embedder embedder = Embedder.of(base)) {
            List<String> texts = List.of("the film is good", "one", "the very red room was awful and dull");
            List<float[]> together = embedder.embed(texts);
            for (int i = 0; i < texts.size(); i++) {
                float[] alone = embedder.embed(texts.get(i));
                assertThat(together.get(i))
                        .hasSize(16)
                        .usingComparatorWithPrecision(1e-5f)
                        .containsExactly(alone);
            }
            float[] unit = embedder.normalised().embed("one");
            double squares = 0;
            for (float value : unit) {
                squares += value * value;
            }
            assertThat(squares).isCloseTo(1, offset(1e-6));
            assertThat(unit[3] / unit[0]).isCloseTo(together.get(1)[3] / together.get(1)[0], offset(1e-4f));
        }
    }
}
