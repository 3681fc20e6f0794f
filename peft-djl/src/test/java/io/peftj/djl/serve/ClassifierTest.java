package io.peftj.djl.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.peftj.core.IncompatibleAdapterException;
import io.peftj.core.PeftException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.core.adapter.Pooling;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.DType;
import io.peftj.djl.backbone.AdapterLoader;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Backbones;
import io.peftj.djl.train.AdapterTrainer;
import io.peftj.djl.train.LabelledText;
import io.peftj.djl.train.Sentences;
import io.peftj.djl.train.Tasks;
import io.peftj.djl.train.TinyTraining;
import io.peftj.methods.ia3.Ia3Config;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.methods.prefix.PrefixConfig;
import io.peftj.testkit.TinyModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class ClassifierTest {
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
        private static final LoraConfig LORA = LoraConfig.builder().rank(4).build();
        private static final List<String> TEXTS =
                List.of("the food is lovely", "a film was awful", "the very red room is dull and poor", "great");

        /** Adapters of three methods, two numbers of classes and two poolings. */
        private static Map<String, Adapter> tenants(Backbone base) {
            return Map.of(
                    "lora", tenant(base, LORA, 2, Pooling.MEAN, 1),
                    "ia3", tenant(base, Ia3Config.builder().build(), 3, Pooling.MEAN, 2),
                    "prefix",
                            tenant(base, PrefixConfig.builder().virtualTokens(3).build(), 2, Pooling.FIRST, 3));
        }

        private static Adapter tenant(Backbone base, AdapterConfig config, int classes, Pooling pooling, long seed) {
            List<String> labels = List.of("praise", "blame", "neither").subList(0, classes);
            return AdapterTrainer.on(base)
                    .method(config)
                    .task(Tasks.classification(labels).pooling(pooling))
                    .epochs(1)
                    .learningRate(3e-2)
                    .seed(seed)
                    .fit(Sentences.opinions());
        }

        @Test
        void aSavedAdapterClassifiesAsItWasTrained() {
            try (Backbone base = bert()) {
                Adapter trained = opinions(base, LORA)
                        .epochs(25)
                        .learningRate(5e-2)
                        .fit(Sentences.opinions(), Sentences.opinions());
                AdapterFiles.save(trained, folder.resolve("adapter"));

                Classifier classifier = Classifier.of(base, AdapterLoader.load(folder.resolve("adapter"), base));
                List<LabelledText> rows = Sentences.opinions();
                List<Classification> found = classifier.classify(
                        rows.stream().map(LabelledText::text).toList());
                for (int i = 0; i < rows.size(); i++) {
                    assertThat(found.get(i).label()).isEqualTo(rows.get(i).label());
                    assertThat(found.get(i).probabilities()).containsOnlyKeys("praise", "blame");
                    assertThat(found.get(i).probability())
                            .isEqualTo(
                                    found.get(i).probabilities().get(rows.get(i).label()))
                            .isGreaterThan(0.5);
                    assertThat(found.get(i).probabilities().values().stream()
                                    .mapToDouble(p -> p)
                                    .sum())
                            .isCloseTo(1, offset(1e-9));
                }
            }
        }

        @Test
        void everyRequestGetsItsOwnAdapter() {
            try (Backbone base = bert()) {
                Map<String, Adapter> tenants = tenants(base);
                Adapters adapters = Adapters.on(base);
                tenants.forEach(adapters::put);
                List<Request> requests = new ArrayList<>();
                for (String text : TEXTS) {
                    for (String tenant : List.of("prefix", "lora", "ia3")) {
                        requests.add(Request.of(text).with(tenant));
                    }
                }
                List<Classification> mixed = Classifier.of(adapters).classifyEach(requests);
                for (int i = 0; i < requests.size(); i++) {
                    Request request = requests.get(i);
                    try (Classifier alone = Classifier.of(base, tenants.get(request.adapter()))) {
                        Classification solo = alone.classify(request.text());
                        assertThat(mixed.get(i).probabilities().keySet())
                                .isEqualTo(solo.probabilities().keySet());
                        solo.probabilities()
                                .forEach((label, p) -> assertThat(mixed.get(requests.indexOf(request))
                                                .probabilities()
                                                .get(label))
                                        .as("%s of %s", label, request)
                                        .isCloseTo(p, offset(1e-5)));
                    }
                }
            }
        }

        @Test
        void anUnknownNameIsAnErrorThatListsTheKnownOnes() {
            try (Backbone base = bert()) {
                Adapters adapters = Adapters.on(base);
                Adapter adapter = opinions(base, LORA).fit(Sentences.opinions());
                adapters.put("tenant-1", adapter);
                adapters.put("tenant-2", adapter);
                List<Request> requests = List.of(
                        Request.of("good").with("tenant-1"), Request.of("good").with("tenant-3"));
                assertThatThrownBy(() -> Classifier.of(adapters).classifyEach(requests))
                        .isInstanceOf(UnknownAdapterException.class)
                        .hasMessage("no adapter is called \"tenant-3\"; there are [tenant-1, tenant-2];"
                                + " put it into the registry before requests name it");
                assertThatThrownBy(() -> adapters.remove("tenant-3")).isInstanceOf(UnknownAdapterException.class);
                adapters.remove("tenant-1");
                assertThat(adapters.names()).containsExactly("tenant-2");
            }
        }

        @Test
        void aNameCanGetAnotherAdapterAndMemoryIsGivenBack() {
            try (Backbone base = bert()) {
                Adapters adapters = Adapters.on(base);
                long before = backend().memory().liveBytes();
                adapters.put("tenant", tenant(base, LORA, 2, Pooling.MEAN, 1));
                long with = backend().memory().liveBytes();
                assertThat(with).isGreaterThan(before);
                adapters.put("tenant", tenant(base, LORA.toBuilder().rank(2).build(), 3, Pooling.MEAN, 1));
                assertThat(backend().memory().liveBytes()).isBetween(before + 1, with - 1);
                assertThat(Classifier.of(adapters)
                                .classifyEach(List.of(Request.of("good").with("tenant")))
                                .get(0)
                                .probabilities())
                        .hasSize(3);
                adapters.remove("tenant");
                assertThat(backend().memory().liveBytes()).isEqualTo(before);
            }
        }

        @Test
        void threadsDoNotDisturbEachOther() {
            try (Backbone base = bert()) {
                Map<String, Adapter> tenants = tenants(base);
                Adapters adapters = Adapters.on(base);
                tenants.forEach(adapters::put);
                Classifier classifier = Classifier.of(adapters);
                List<List<Request>> asked = List.copyOf(tenants.keySet()).stream()
                        .map(tenant -> TEXTS.stream()
                                .map(text -> Request.of(text).with(tenant))
                                .toList())
                        .toList();
                List<List<Classification>> alone =
                        asked.stream().map(classifier::classifyEach).toList();
                List<List<Classification>> together = IntStream.range(0, 24)
                        .parallel()
                        .mapToObj(i -> classifier.classifyEach(asked.get(i % 3)))
                        .toList();
                for (int i = 0; i < together.size(); i++) {
                    assertThat(together.get(i)).isEqualTo(alone.get(i % 3));
                }
            }
        }

        @Test
        void refusesAnAdapterOfAnotherBase() {
            try (Backbone base = bert();
                    Backbone other =
                            Backbones.load(TinyModels.bert(folder.resolve("other"), 2), backend(), DType.F32)) {
                Adapter adapter = opinions(base, LORA).fit(Sentences.opinions());
                assertThatThrownBy(() -> Classifier.of(other, adapter))
                        .isInstanceOf(IncompatibleAdapterException.class)
                        .hasMessageContaining("bert (heads 4, layers 2, vocabulary 32, width 16)")
                        .hasMessageContaining("the weights are others");
            }
        }

        @Test
        void refusesAnotherTokenizer() throws IOException {
            Path changed = TinyModels.bert(folder.resolve("changed"), 1);
            Path tokenizer = changed.resolve("tokenizer.json");
            Files.writeString(tokenizer, Files.readString(tokenizer).replace("\"id\": \"[SEP]\"", "\"id\": \"[CLS]\""));
            try (Backbone base = bert();
                    Backbone other = Backbones.load(changed, backend(), DType.F32)) {
                Adapter adapter = opinions(base, LORA).fit(Sentences.opinions());
                assertThatThrownBy(() -> Classifier.of(other, adapter))
                        .isInstanceOf(IncompatibleAdapterException.class)
                        .hasMessageContaining("was trained with the tokenizer")
                        .hasMessageContaining("use the tokenizer.json it was trained with");
            }
        }

        @Test
        void refusesAnAdapterThatIsNoClassifier() {
            try (Backbone base = llama()) {
                Adapter answers = colours(base, LORA).fit(Sentences.colours());
                Classifier classifier = Classifier.of(base, answers);
                assertThatThrownBy(() -> classifier.classify("good"))
                        .isInstanceOf(PeftException.class)
                        .hasMessage("adapter LORA is no classifier; use one that was trained for classification");
            }
        }

        @Test
        void textsAloneNeedAClassifierOfOneAdapter() {
            try (Backbone base = bert()) {
                Classifier classifier = Classifier.of(Adapters.on(base));
                assertThatThrownBy(() -> classifier.classify("good"))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("use requests that name it");
                assertThatThrownBy(() -> classifier.classifyEach(List.of(Request.of("good"))))
                        .isInstanceOf(PeftException.class)
                        .hasMessageContaining("the base model has no classification head");
            }
        }

        @Test
        void aClosedBackboneRefusesRequests() {
            Backbone base = bert();
            Classifier classifier = Classifier.of(base, opinions(base, LORA).fit(Sentences.opinions()));
            base.close();
            assertThatThrownBy(() -> classifier.classify("good"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("request: the backbone is closed");
            assertThat(backend().memory().liveBytes()).isZero();
        }
    }
}
