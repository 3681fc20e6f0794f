package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.Pooling;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.run.ActiveAdapter;
import io.peftj.core.run.Batch;
import io.peftj.core.run.BoundPlan;
import io.peftj.core.run.Derivation;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.run.Row;
import io.peftj.core.run.Run;
import io.peftj.core.run.Stack;
import io.peftj.core.run.Training;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Updates.AdamW;
import io.peftj.djl.backbone.AdapterLoader;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Backbones;
import io.peftj.djl.serve.Adapters;
import io.peftj.djl.serve.Embedder;
import io.peftj.djl.serve.Request;
import io.peftj.djl.train.Example.Assigned;
import io.peftj.methods.head.HeadConfig;
import io.peftj.methods.ia3.Ia3Config;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.methods.prefix.PrefixConfig;
import io.peftj.testkit.GradientCheck;
import io.peftj.testkit.TinyModels;
import io.peftj.testkit.reference.ReferenceBackend;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddingTrainingTest {
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
        private static final double SCALE = 20;

        /** Texts of four kinds and what describes each kind. */
        private static List<TextPair> pairs() {
            List<TextPair> pairs = new ArrayList<>();
            for (String thing : List.of("film", "book", "song", "food")) {
                pairs.add(new TextPair("the " + thing + " is good", "great and lovely"));
                pairs.add(new TextPair("a " + thing + " was awful", "poor and dull"));
                pairs.add(new TextPair("the red " + thing, "blue and green"));
                pairs.add(new TextPair("one " + thing + " and two", "three"));
            }
            return pairs;
        }

        private static AdapterTrainer<TextPair> trainer(Backbone base, AdapterConfig config) {
            return AdapterTrainer.on(base)
                    .method(config)
                    .task(Tasks.embedding().recallAt(1, 3))
                    .batchSize(8)
                    .epochs(15)
                    .learningRate(1e-2);
        }

        @Test
        void textsComeToLieByWhatBelongsToThem() {
            try (Backbone base = bert()) {
                List<Evaluation> evaluations = new ArrayList<>();
                Adapter adapter = trainer(base, LORA)
                        .listener(new TrainingListener() {
                            @Override
                            public void onEvaluation(TrainingEvent.Evaluated event) {
                                evaluations.add(event.result());
                            }
                        })
                        .fit(pairs(), pairs());
                Evaluation last = evaluations.get(evaluations.size() - 1);
                assertThat(last.get(Metric.recallAt(1))).isEqualTo(1);
                assertThat(last.get(Metric.recallAt(3))).isEqualTo(1);
                assertThat(last.loss()).isLessThan(evaluations.get(0).loss() / 2);
                assertThat(last.learnt()).isEqualTo(16);
                assertThat(adapter.config().taskType()).isEqualTo(TaskType.FEATURE_EXTRACTION);
                assertThat(adapter.task().pooling()).isEqualTo(Pooling.MEAN);
                assertThat(adapter.parameters().keySet()).allMatch(name -> name.contains("lora_"));
            }
        }

        @Test
        void aSavedAdapterEmbedsAsItWasTrained() {
            try (Backbone base = bert()) {
                for (Pooling pooling : List.of(Pooling.MEAN, Pooling.FIRST)) {
                    EmbeddingTask task =
                            Tasks.embedding().pooling(pooling).maxLength(6).template("very {text}");
                    Adapter trained =
                            AdapterTrainer.on(base).method(LORA).task(task).fit(pairs());
                    AdapterFiles.save(trained, folder.resolve("adapter " + pooling));
                    Adapter loaded = AdapterLoader.load(folder.resolve("adapter " + pooling), base);
                    assertThat(loaded.task()).isEqualTo(trained.task());
                    Evaluation evaluation = evaluate(base, trained, task, pairs());
                    try (Embedder embedder = Embedder.of(base, loaded).normalised()) {
                        assertThat(loss(embedder, pairs())).isCloseTo(evaluation.loss(), within(1e-4));
                    }
                }
            }
        }

        /** Cross entropy against all other descriptions, written out. */
        private static double loss(Embedder embedder, List<TextPair> pairs) {
            List<String> descriptions =
                    pairs.stream().map(TextPair::positive).distinct().toList();
            List<float[]> candidates = embedder.embed(descriptions);
            double loss = 0;
            for (TextPair pair : pairs) {
                float[] anchor = embedder.embed(pair.anchor());
                double sum = 0;
                double own = 0;
                for (int c = 0; c < descriptions.size(); c++) {
                    double score = SCALE * dot(anchor, candidates.get(c));
                    sum += Math.exp(score);
                    own = descriptions.get(c).equals(pair.positive()) ? score : own;
                }
                loss += Math.log(sum) - own;
            }
            return loss / pairs.size();
        }

        private static double dot(float[] a, float[] b) {
            double sum = 0;
            for (int i = 0; i < a.length; i++) {
                sum += a[i] * b[i];
            }
            return sum;
        }

        private static Evaluation evaluate(Backbone base, Adapter adapter, EmbeddingTask task, List<TextPair> rows) {
            AdapterPlan plan = AdapterMethods.plan(task.spec(base), adapter.config());
            try (ResidentAdapter resident = ResidentAdapter.load(base, "adapter", plan, adapter.parameters())) {
                return new Evaluator(base, task.objective(base), () -> false)
                        .evaluate(task.examples(base, plan, rows), session -> Stack.of(resident.in(session)));
            }
        }

        /** Expected by the formula, over what is a negative of each. */
        @Test
        void copiesAndTheAnchorItselfAreNoNegatives() {
            try (Backbone base = bert()) {
                List<TextPair> related = List.of(
                        new TextPair("the film is good", "great"),
                        new TextPair("a song", "great"),
                        new TextPair("the film is good", "lovely"),
                        new TextPair("a room", "the film is good"),
                        new TextPair("food", "awful"));
                List<Double> losses = new ArrayList<>();
                AdapterTrainer<TextPair> trainer = trainer(base, LORA).epochs(1).listener(new TrainingListener() {
                    @Override
                    public void onStep(TrainingEvent.Step event) {
                        losses.add(event.loss());
                    }
                });
                Adapter untrained = trainer.untrained();
                trainer.fit(related);
                Evaluation evaluation = evaluate(base, untrained, Tasks.embedding(), related);
                double expected = 0;
                try (Embedder embedder = Embedder.of(base, untrained).normalised()) {
                    expected += nll(embedder, "the film is good", "great", "awful");
                    expected += nll(embedder, "a song", "great", "lovely", "the film is good", "awful");
                    expected += nll(embedder, "the film is good", "lovely", "awful");
                    expected += nll(embedder, "a room", "the film is good", "great", "great", "lovely", "awful");
                    expected += nll(embedder, "food", "awful", "great", "great", "lovely", "the film is good");
                }
                assertThat(losses.get(0)).isCloseTo(expected / 5, within(1e-4));
                // An evaluation looks at each description once.
                assertThat(evaluation.loss()).isLessThan(losses.get(0));
            }
        }

        private static double nll(Embedder embedder, String anchor, String positive, String... negatives) {
            float[] vector = embedder.embed(anchor);
            double own = SCALE * dot(vector, embedder.embed(positive));
            double sum = Math.exp(own);
            for (String negative : negatives) {
                sum += Math.exp(SCALE * dot(vector, embedder.embed(negative)));
            }
            return Math.log(sum) - own;
        }

        @Test
        void everyRequestIsEmbeddedByItsOwnAdapter() {
            try (Backbone base = bert()) {
                Adapters adapters = Adapters.on(base);
                adapters.put("lora", trainer(base, LORA).epochs(2).fit(pairs()));
                adapters.put(
                        "ia3",
                        trainer(base, Ia3Config.builder().build()).epochs(2).fit(pairs()));
                adapters.put(
                        "prefix",
                        AdapterTrainer.on(base)
                                .method(PrefixConfig.builder().virtualTokens(2).build())
                                .task(Tasks.embedding().pooling(Pooling.FIRST))
                                .fit(pairs()));
                List<Request> requests = new ArrayList<>();
                for (String text : List.of("the film is good", "three", "a very dull room and food")) {
                    requests.add(Request.of(text).with("prefix"));
                    requests.add(Request.of(text));
                    requests.add(Request.of(text).with("lora"));
                    requests.add(Request.of(text).with("ia3"));
                }
                Embedder embedder = Embedder.of(adapters);
                List<float[]> mixed = embedder.embedEach(requests);
                for (int i = 0; i < requests.size(); i++) {
                    assertThat(mixed.get(i))
                            .as("%s", requests.get(i))
                            .usingComparatorWithPrecision(1e-5f)
                            .containsExactly(
                                    embedder.embedEach(List.of(requests.get(i))).get(0));
                }
                assertThat(mixed.get(0)).isNotEqualTo(mixed.get(1));
            }
        }

        @Test
        void stacksOfAMixedBatchNeverSeeEachOthersCandidates() {
            try (Backbone base = bert()) {
                AdapterConfig config = LORA.withTaskType(TaskType.FEATURE_EXTRACTION);
                List<TrainableAdapter> mixed = List.of(adapter(base, "one", config), adapter(base, "two", config));
                List<Example> examples =
                        Tasks.embedding().examples(base, mixed.get(0).plan().plan(), pairs());
                List<Assigned> rows = new ArrayList<>();
                for (int i = 0; i < 12; i++) {
                    // Tenants are not equally busy.
                    rows.add(new Assigned(examples.get(i), List.of(i % 3 == 0 ? 0 : 1)));
                }
                OptimizerStep.Result together = step(base, mixed, List.of(rows));
                double losses = 0;
                for (int a = 0; a < 2; a++) {
                    int number = a;
                    List<Assigned> own = rows.stream()
                            .filter(row -> row.adapters().contains(number))
                            .map(row -> new Assigned(row.example(), List.of(0)))
                            .toList();
                    try (TrainableAdapter alone = adapter(base, a == 0 ? "one" : "two", config)) {
                        OptimizerStep.Result solo = step(base, List.of(alone), List.of(own));
                        losses += solo.loss();
                        assertThat(together.gradientNorms().get(a))
                                .isCloseTo(solo.gradientNorms().get(0), within(1e-4));
                    }
                }
                assertThat(together.loss()).isCloseTo(losses, within(1e-4));
                assertThatThrownBy(() -> step(base, mixed, List.of(rows.subList(0, 6), rows.subList(6, 12))))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage("the loss compares the rows of a step with each other: expected one micro-batch,"
                                + " found 2; give the whole step at once");
                mixed.forEach(TrainableAdapter::close);
            }
        }

        private static TrainableAdapter adapter(Backbone base, String name, AdapterConfig config) {
            BackboneSpec spec = base.spec();
            AdapterPlan plan = AdapterMethods.plan(spec, AdapterMethods.complete(spec, config));
            return TrainableAdapter.start(base, name, plan, plan.initialise(new BackboneContext(base, spec, 3)));
        }

        private static OptimizerStep.Result step(
                Backbone base, List<TrainableAdapter> adapters, List<List<Assigned>> microBatches) {
            Objective objective = Tasks.embedding().objective(base);
            OptimizerStep step = new OptimizerStep(base, objective, adapters, 0);
            return base.call(
                    "step",
                    session -> step.take(
                            session,
                            microBatches,
                            new OptimizerStep.Settings(new AdamW(1e-2, 0.9, 0.999, 1e-8, 0), 1, new Training(7, 1))));
        }

        @Test
        void evaluationsLookAmongAllThatBelongsToSomething() {
            try (Backbone base = bert()) {
                List<Example> pairs = List.of(
                        Example.pair(0, new int[] {1}, new int[] {11}),
                        Example.pair(1, new int[] {1}, new int[] {12}),
                        Example.pair(2, new int[] {2}, new int[] {11}),
                        Example.pair(3, new int[] {11}, new int[] {13}));
                float[] east = {1, 0};
                float[] north = {0, 1};
                float[] west = {-1, 0};
                List<float[][]> vectors = List.of(
                        new float[][] {east, east},
                        new float[][] {east, west},
                        new float[][] {north, east},
                        new float[][] {east, north});
                Evaluation found = new Retrieval(
                                new Predictor(base, session -> Stack.BASE, () -> false), pairs, vectors, 1)
                        .evaluation(List.of(1, 2, 3));
                // Text 1 finds 11 first and 12 last of three. Text 2 finds all alike to its left and right behind 13,
                // then 11 behind 12, which is as near. Text 11 leaves itself out and finds 13 first.
                assertThat(found.get(Metric.recallAt(1))).isCloseTo((0.5 + 0 + 1) / 3, within(1e-12));
                assertThat(found.get(Metric.recallAt(2))).isCloseTo((0.5 + 0 + 1) / 3, within(1e-12));
                assertThat(found.get(Metric.recallAt(3))).isEqualTo(1);
                double e = Math.E;
                double expected =
                        (Math.log(e + 1) - 1) + (Math.log(1 / e + 1) + 1) + Math.log(1 + 1 + e) + Math.log(1 + 1 / e);
                assertThat(found.loss()).isCloseTo(expected / 4, within(1e-6));
            }
        }

        @Test
        void refusesWhatItCannotDo() {
            try (Backbone base = bert()) {
                assertThatThrownBy(() -> trainer(base, LORA).microBatchSize(4).fit(pairs()))
                        .isInstanceOf(InvalidConfigException.class)
                        .hasMessage("the task compares all rows of a batch with each other, which micro-batches of 4"
                                + " would take apart; leave the micro-batch out, or use smaller batches");
                assertThatThrownBy(() -> trainer(base, HeadConfig.ofTask()).fit(pairs()))
                        .isInstanceOf(InvalidConfigException.class)
                        .hasMessageContaining("HEAD trains a task's head");
                assertThatThrownBy(() -> Tasks.embedding().scale(0))
                        .isInstanceOf(InvalidConfigException.class)
                        .hasMessageContaining("the scale of cosines: expected a number above 0");
                assertThatThrownBy(() -> Tasks.embedding().recallAt(1, 0))
                        .isInstanceOf(InvalidConfigException.class)
                        .hasMessage("recall: expected numbers of texts to look among, at least 1, found [1, 0]");
            }
        }

        @Test
        void refusesAModelWithAHead() {
            try (Backbone base = bert()) {
                Adapter classifier = opinions(base, LORA).fit(Sentences.opinions());
                HeadSpec head = AdapterLoader.head(base.spec(), classifier);
                try (ResidentAdapter resident = AdapterLoader.resident(base, "classifier", classifier);
                        Backbone headed = base.merged(resident, head)) {
                    assertThatThrownBy(() -> trainer(headed, LORA).fit(pairs()))
                            .isInstanceOf(InvalidConfigException.class)
                            .hasMessageContaining("has the head \"classifier\", which embeddings do not go through");
                }
            }
        }

        @Test
        void decodersEmbedToo() {
            try (Backbone base = llama()) {
                List<Double> losses = new ArrayList<>();
                Adapter adapter = AdapterTrainer.on(base)
                        .method(LORA)
                        .task(Tasks.embedding().pooling(Pooling.LAST))
                        .learningRate(1e-2)
                        .epochs(10)
                        .listener(new TrainingListener() {
                            @Override
                            public void onStep(TrainingEvent.Step event) {
                                losses.add(event.loss());
                            }
                        })
                        .fit(pairs());
                assertThat(losses.get(losses.size() - 1)).isLessThan(losses.get(0) * 0.8);
                try (Embedder embedder = Embedder.of(base, adapter).normalised()) {
                    assertThat(dot(embedder.embed("three"), embedder.embed("three")))
                            .isCloseTo(1, within(1e-5));
                }
            }
        }
    }

    /** Through a whole model: the derivative of the loss by an adapter's numbers. */
    @Test
    void gradientsThroughAModelAreThoseOfFiniteDifferences(@TempDir Path folder) {
        ReferenceBackend exact = ReferenceBackend.exact();
        try (Backbone base = Backbones.load(TinyModels.bert(folder.resolve("bert"), 1), exact, DType.F32)) {
            AdapterConfig config = LoraConfig.builder().rank(2).build().withTaskType(TaskType.FEATURE_EXTRACTION);
            AdapterPlan plan = AdapterMethods.plan(base.spec(), AdapterMethods.complete(base.spec(), config));
            GradientCheck check = GradientCheck.on(exact, 5).elementsPerInput(3).within(1e-6);
            for (ParameterSpec parameter : plan.raw()) {
                long key = CounterRandom.key(5, parameter.name());
                check.input(parameter.name(), DType.F32, CounterRandom.of(key).normal(parameter.shape(), 0.2));
            }
            List<Example> examples = Tasks.embedding()
                    .examples(
                            base,
                            plan,
                            List.of(
                                    new TextPair("the film is good", "great"),
                                    new TextPair("a song", "great"),
                                    new TextPair("food", "awful and dull")));
            check.check((session, inputs) -> {
                Stack stack = Stack.of(
                        new ActiveAdapter("lora", new BoundPlan(plan), plan.derive(inputs, new Derivation(base))));
                List<Row> rows = examples.stream()
                        .flatMap(example -> example.rows(stack).stream())
                        .toList();
                Run run = new Run(session, Batch.of(session, base.spec(), rows), null);
                return List.of(Tasks.embedding()
                        .objective(base)
                        .loss(base, run, examples, Collections.nCopies(3, 1 / 3f))
                        .sum());
            });
        }
    }
}
