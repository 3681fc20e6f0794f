package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.tensor.DType;
import io.peftj.djl.backbone.AdapterLoader;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Backbones;
import io.peftj.djl.serve.Classification;
import io.peftj.djl.serve.Classifier;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.testkit.TinyModels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A model of each architecture is opened from its files, trained, and used under the adapter that another process would load. */
class EveryArchitectureTest extends TinyTraining {
    private static final LoraConfig LORA = LoraConfig.builder().rank(4).build();

    @SuppressWarnings("ImmutableEnumChecker") // the writers are references to static methods
    enum Architecture {
        LLAMA(TinyModels::llama),
        QWEN2(TinyModels::qwen2),
        QWEN3(TinyModels::qwen3),
        GPT2(TinyModels::gpt2),
        BERT(TinyModels::bert),
        ROBERTA(TinyModels::roberta);

        private final BiFunction<Path, Long, Path> writer;

        Architecture(BiFunction<Path, Long, Path> writer) {
            this.writer = writer;
        }
    }

    private Backbone open(Architecture architecture) {
        Path model = architecture.writer.apply(folder.resolve("model"), 1L);
        return Backbones.load(model, backend(), DType.F32);
    }

    @ParameterizedTest
    @EnumSource
    void learnsToClassify(Architecture architecture) {
        try (Backbone base = open(architecture)) {
            opinions(base, LORA)
                    .epochs(30)
                    .learningRate(3e-2)
                    .fit(Sentences.opinions())
                    .save(folder.resolve("adapter"));
        }
        try (Backbone base = open(architecture);
                Classifier classifier = Classifier.of(base, AdapterLoader.load(folder.resolve("adapter"), base))) {
            List<LabelledText> opinions = Sentences.opinions();
            List<Classification> found = classifier.classify(
                    opinions.stream().map(LabelledText::text).toList());
            List<String> labels = found.stream().map(Classification::label).toList();
            assertThat(labels)
                    .isEqualTo(opinions.stream().map(LabelledText::label).toList());
        }
    }

    @ParameterizedTest
    @EnumSource(
            names = {"BERT", "ROBERTA"},
            mode = EnumSource.Mode.EXCLUDE)
    void decodersLearnAnswers(Architecture architecture) {
        try (Backbone base = open(architecture)) {
            List<Double> losses = new ArrayList<>();
            Adapter adapter = colours(base, LORA)
                    .epochs(20)
                    .listener(new TrainingListener() {
                        @Override
                        public void onEpoch(TrainingEvent.Epoch event) {
                            losses.add(event.loss());
                        }
                    })
                    .fit(Sentences.colours());
            assertThat(losses.get(19)).isLessThan(losses.get(0) / 2);
            assertThat(adapter.fingerprint()).isEqualTo(base.fingerprint().encode());
        }
    }
}
