package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.IncompatibleAdapterException;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.core.tensor.DType;
import io.peftj.djl.backbone.AdapterLoader;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Backbones;
import io.peftj.methods.bitfit.BitFitConfig;
import io.peftj.methods.bottleneck.BottleneckConfig;
import io.peftj.methods.bottleneck.Placement;
import io.peftj.methods.full.FullConfig;
import io.peftj.methods.ia3.Ia3Config;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.methods.lora.LoraInit;
import io.peftj.methods.pedro.PedroConfig;
import io.peftj.methods.prefix.PrefixConfig;
import io.peftj.methods.prompt.PromptConfig;
import io.peftj.methods.prompt.PromptInit;
import io.peftj.methods.ptuning.PTuningConfig;
import io.peftj.methods.reft.ReftConfig;
import io.peftj.testkit.TinyModels;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ContinuingTest extends TinyTraining {
    private static final LoraConfig LORA = LoraConfig.builder().rank(4).build();

    static List<AdapterConfig> methods() {
        return List.of(
                LORA,
                LORA.toBuilder().init(LoraInit.PISSA).build(),
                LORA.toBuilder().dora(true).init(LoraInit.OLORA).build(),
                Ia3Config.builder().build(),
                PrefixConfig.builder().virtualTokens(4).build(),
                PrefixConfig.builder().virtualTokens(4).projection(true).build(),
                PromptConfig.builder()
                        .virtualTokens(4)
                        .init(PromptInit.sampledVocabulary())
                        .build(),
                PTuningConfig.builder().virtualTokens(4).build(),
                ReftConfig.builder().rank(2).build(),
                PedroConfig.builder().rank(2).build(),
                BottleneckConfig.builder(Placement.HOULSBY).build(),
                new BitFitConfig(List.of(), null),
                new FullConfig(null));
    }

    /** A prompt or a prefix could not be loaded to be trained on. */
    @ParameterizedTest
    @MethodSource("methods")
    void trainingGoesOnFromASavedAdapter(AdapterConfig config) {
        try (Backbone base = llama()) {
            Adapter first = colours(base, config).epochs(10).fit(Sentences.colours());
            AdapterFiles.save(first, folder.resolve("adapter"));
            Adapter loaded = AdapterLoader.load(folder.resolve("adapter"), base);
            assertEqual(loaded, first);

            FirstLoss continued = new FirstLoss();
            FirstLoss anew = new FirstLoss();
            Adapter second = AdapterTrainer.on(base)
                    .startFrom(loaded)
                    .task(Tasks.answers())
                    .batchSize(4)
                    .epochs(2)
                    .listener(continued)
                    .fit(Sentences.colours());
            colours(base, config).epochs(1).listener(anew).fit(Sentences.colours());
            assertThat(continued.loss).isLessThan(anew.loss * 0.9);
            assertThat(second.parameters().keySet())
                    .isEqualTo(first.parameters().keySet());
        }
    }

    private static final class FirstLoss implements TrainingListener {
        private double loss;

        @Override
        public void onStep(TrainingEvent.Step event) {
            if (event.step() == 1) {
                loss = event.loss();
            }
        }
    }

    @Test
    void refusesAnAdapterOfOtherLabels() {
        try (Backbone base = bert()) {
            Adapter first = opinions(base, LORA).fit(Sentences.opinions());
            assertThatThrownBy(() -> AdapterTrainer.on(base)
                            .startFrom(first)
                            .task(Tasks.classification(List.of("blame", "praise")))
                            .fit(Sentences.opinions()))
                    .isInstanceOf(InvalidConfigException.class)
                    .hasMessageContaining("labels [praise, blame], the task has [blame, praise]");
        }
    }

    @Test
    void refusesAnAdapterOfAnotherBase() {
        try (Backbone base = bert();
                Backbone other = Backbones.load(TinyModels.bert(folder.resolve("other"), 2), backend(), DType.F32)) {
            Adapter adapter = opinions(base, LORA).fit(Sentences.opinions());
            AdapterFiles.save(adapter, folder.resolve("adapter"));
            assertThatThrownBy(() -> AdapterLoader.load(folder.resolve("adapter"), other))
                    .isInstanceOf(IncompatibleAdapterException.class)
                    .hasMessageContaining("the weights are others");
            assertThatThrownBy(() -> AdapterTrainer.on(other)
                            .startFrom(adapter)
                            .task(Tasks.classification(Sentences.LABELS))
                            .fit(Sentences.opinions()))
                    .isInstanceOf(IncompatibleAdapterException.class)
                    .hasMessageContaining("the weights are others");
        }
    }
}
