package io.peftj.djl.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import io.peftj.core.IncompatibleAdapterException;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.InvalidFileException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.TaskData;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.adapter.WeightedAdapter;
import io.peftj.core.io.Safetensors;
import io.peftj.core.io.SafetensorsWriter;
import io.peftj.core.io.StoredTensor;
import io.peftj.core.run.AdapterCombination;
import io.peftj.core.run.Batch;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.run.Row;
import io.peftj.core.run.Run;
import io.peftj.core.run.Stack;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Tensor;
import io.peftj.djl.backbone.AdapterLoader;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Backbones;
import io.peftj.djl.backbone.PaddedLogits;
import io.peftj.djl.engine.EngineOptions;
import io.peftj.djl.engine.TorchBackend;
import io.peftj.djl.train.AdapterTrainer;
import io.peftj.djl.train.Checkpoints;
import io.peftj.djl.train.PromptAnswer;
import io.peftj.djl.train.Tasks;
import io.peftj.djl.train.TrainableAdapter;
import io.peftj.djl.train.TrainingCancelledException;
import io.peftj.djl.train.TrainingEvent;
import io.peftj.djl.train.TrainingListener;
import io.peftj.methods.bitfit.BitFitConfig;
import io.peftj.methods.bottleneck.BottleneckConfig;
import io.peftj.methods.bottleneck.Placement;
import io.peftj.methods.full.FullConfig;
import io.peftj.methods.head.HeadConfig;
import io.peftj.methods.ia3.Ia3Config;
import io.peftj.methods.lora.LoraCombination;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.methods.pedro.PedroConfig;
import io.peftj.methods.prefix.PrefixConfig;
import io.peftj.methods.prompt.PromptConfig;
import io.peftj.methods.ptuning.PTuningConfig;
import io.peftj.methods.reft.ReftConfig;
import io.peftj.testkit.TinyModels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongPredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What went wrong, silently for the most part, in other libraries of the field. */
class PeerDefectsTest {
    private static final int[] TOKENS = {3, 14, 15, 9, 2, 6};

    static Stream<AdapterConfig> methods() {
        TaskType task = TaskType.CAUSAL_LM;
        return Stream.of(
                LoraConfig.builder().rank(2).taskType(task).build(),
                LoraConfig.builder().rank(2).dora(true).taskType(task).build(),
                Ia3Config.builder().taskType(task).build(),
                PrefixConfig.builder().virtualTokens(3).taskType(task).build(),
                BottleneckConfig.builder(Placement.HOULSBY).taskType(task).build(),
                new BitFitConfig(List.of(), task),
                new FullConfig(task),
                PromptConfig.builder().virtualTokens(3).taskType(task).build(),
                PTuningConfig.builder().virtualTokens(4).taskType(task).build(),
                ReftConfig.builder().rank(2).taskType(task).build(),
                PedroConfig.builder().rank(2).taskType(task).build(),
                new HeadConfig(List.of("lm_head"), task));
    }

    static Stream<AdapterConfig> classifiers() {
        TaskType task = TaskType.SEQ_CLS;
        return methods()
                .map(config ->
                        config instanceof HeadConfig ? new HeadConfig(List.of(), task) : config.withTaskType(task));
    }

    /** A batch whose rows name adapters of (IA)3 or prefix tuning ran them all under one tenant's; DoRA failed in it. */
    @ParameterizedTest
    @MethodSource("methods")
    void everyRowOfAMixedBatchGetsItsOwnTenantsAdapter(AdapterConfig config) {
        try (BackboneModel model = TinyBackbones.llama(TestBackends.EXACT, DType.F32)) {
            everyRowGetsItsOwnTenantsAdapter(model, config);
        }
    }

    /** A head of two layers, as RoBERTa's, failed in a mixed batch. */
    @ParameterizedTest
    @MethodSource("classifiers")
    void everyRowOfAMixedBatchGetsItsOwnTenantsHeadOfTwoLayers(AdapterConfig config) {
        try (BackboneModel model = TinyBackbones.roberta(TestBackends.EXACT, DType.F32)) {
            everyRowGetsItsOwnTenantsAdapter(model, config);
        }
    }

    private static void everyRowGetsItsOwnTenantsAdapter(BackboneModel model, AdapterConfig config) {
        try (ResidentAdapter one = resident(model, "one", config);
                ResidentAdapter two = resident(model, "two", config)) {
            List<double[]> together = logits(model, Arrays.asList(one, null, two));

            assertThat(together.get(0)).isEqualTo(logits(model, List.of(one)).get(0));
            assertThat(together.get(1))
                    .isEqualTo(logits(model, Collections.singletonList(null)).get(0));
            assertThat(together.get(2)).isEqualTo(logits(model, List.of(two)).get(0));
            assertThat(together.get(0)).isNotEqualTo(together.get(1)).isNotEqualTo(together.get(2));
        }
    }

    /** Layers that the base does not have were dropped without a word. */
    @ParameterizedTest
    @MethodSource("methods")
    void anAdapterForADeeperBaseIsRefused(AdapterConfig config) {
        try (BackboneModel deep = TinyBackbones.llama(TestBackends.EXACT, DType.F32);
                BackboneModel shallow = TinyBackbones.shallowLlama(TestBackends.EXACT, DType.F32)) {
            Adapter adapter = adapter(deep, config);
            AdapterFiles.check(adapter, deep.spec());

            if (config instanceof HeadConfig) { // the head does not depend on the depth
                AdapterFiles.check(adapter, shallow.spec());
            } else {
                assertThatThrownBy(() -> AdapterFiles.check(adapter, shallow.spec()))
                        .isInstanceOf(IncompatibleAdapterException.class)
                        .hasMessageContaining("does not fit the base model (LlamaForCausalLM, 1 layer)");
            }
        }
    }

    /** An adapter went onto any base of the same shape. */
    @ParameterizedTest
    @MethodSource("methods")
    void anAdapterOfAnotherBaseIsRefused(AdapterConfig config) {
        try (BackboneModel model = TinyBackbones.llama(TestBackends.EXACT, DType.F32);
                BackboneModel other = TinyBackbones.otherLlama(TestBackends.EXACT, DType.F32)) {
            Adapter adapter = adapter(model, config);
            AdapterFiles.check(adapter, model.spec(), model.base().fingerprint());

            assertThatThrownBy(() -> AdapterFiles.check(
                            adapter, other.spec(), other.base().fingerprint()))
                    .isInstanceOf(IncompatibleAdapterException.class)
                    .hasMessageContaining("does not belong to the base model")
                    .hasMessageContaining("load it with the base model it was trained on");
        }
    }

    /** Without position ids, padding on the left moved the logits of a prefix or a prompt. */
    @ParameterizedTest
    @MethodSource("methods")
    void paddingDoesNotMoveLogits(AdapterConfig config) {
        try (BackboneModel rotary = TinyBackbones.llama(TestBackends.EXACT, DType.F32);
                BackboneModel learnt = TinyBackbones.gpt2(TestBackends.EXACT, DType.F32)) {
            for (BackboneModel model : List.of(rotary, learnt)) {
                try (ResidentAdapter adapter = resident(model, "adapter", config)) {
                    float[] bare = padded(model, adapter, 0, 0);
                    int vocabulary = model.spec().vocabulary();

                    float[] left = padded(model, adapter, 5, 0);
                    float[] right = padded(model, adapter, 0, 5);

                    assertThat(Arrays.copyOfRange(left, 5 * vocabulary, left.length))
                            .as("%s, padded on the left", model)
                            .isEqualTo(bare);
                    assertThat(Arrays.copyOfRange(right, 0, bare.length))
                            .as("%s, padded on the right", model)
                            .isEqualTo(bare);
                }
            }
        }
    }

    /** A decoder's classifier with a prompt pooled a padding token, so that padding moved its logits by .35. */
    @ParameterizedTest
    @MethodSource("classifiers")
    void paddingDoesNotMoveTheClassesOfADecoder(AdapterConfig config) {
        try (BackboneModel rotary = TinyBackbones.llamaClassifier(TestBackends.EXACT, DType.F32);
                BackboneModel learnt = TinyBackbones.gpt2Classifier(TestBackends.EXACT, DType.F32)) {
            for (BackboneModel model : List.of(rotary, learnt)) {
                try (ResidentAdapter adapter = resident(model, "adapter", config)) {
                    float[] bare = padded(model, adapter, 0, 0);

                    assertThat(bare).hasSize(3);
                    assertThat(padded(model, adapter, 5, 0))
                            .as("%s, padded on the left", model)
                            .isEqualTo(bare);
                    assertThat(padded(model, adapter, 0, 5))
                            .as("%s, padded on the right", model)
                            .isEqualTo(bare);
                }
            }
        }
    }

    private static float[] padded(BackboneModel model, ResidentAdapter adapter, int before, int after) {
        int width = before + TOKENS.length + after;
        long[] ids = new long[width];
        long[] mask = new long[width];
        for (int t = 0; t < TOKENS.length; t++) {
            ids[before + t] = TOKENS[t];
            mask[before + t] = 1;
        }
        return PaddedLogits.of(model.base(), adapter, model.spec().head(), width, ids, mask, null)
                .values();
    }

    /** A typing error in target_modules was ignored as long as another entry matched. */
    @Test
    void aTargetThatMatchesNothingIsAnErrorThatListsTheModules() {
        try (BackboneModel model = TinyBackbones.llama(TestBackends.EXACT, DType.F32)) {
            BackboneSpec spec = model.spec();
            List<AdapterConfig> misspelt = List.of(
                    LoraConfig.builder().targets("q_proj", "v_porj").build(),
                    Ia3Config.builder()
                            .targets("k_proj", "v_porj")
                            .feedForward()
                            .build());

            assertThat(misspelt)
                    .allSatisfy(config -> assertThatThrownBy(() -> AdapterMethods.plan(spec, config))
                            .isInstanceOf(InvalidConfigException.class)
                            .hasMessageContaining(
                                    "target_modules names \"v_porj\", which matches no module of the model")
                            .hasMessageContaining("v_proj"));
        }
    }

    /** A weighted sum was no sum of the changes, or had its scale twice. */
    @Test
    void aWeightedCombinationIsTheSumOfTheChanges() {
        LoraConfig.Builder lora = LoraConfig.builder().taskType(TaskType.CAUSAL_LM);
        try (BackboneModel model = TinyBackbones.llama(TestBackends.EXACT, DType.F32)) {
            Adapter one = adapter(model, lora.rank(2).alpha(7).build());
            Adapter two =
                    adapter(model, lora.rank(3).alpha(1).rankStabilised(true).build());
            String name = "model.layers.1.self_attn.q_proj.weight";
            double[] ofOne = change(model, one, name);
            double[] ofTwo = change(model, two, name);

            Adapter sum = AdapterCombination.exact(model, new WeightedAdapter(one, 0.5), new WeightedAdapter(two, -2));
            Adapter again = LoraCombination.nearest(model, 5, new WeightedAdapter(sum, 1));

            for (Adapter combined : List.of(sum, again)) {
                double[] found = change(model, combined, name);
                for (int i = 0; i < found.length; i++) {
                    assertThat(found[i]).isCloseTo(0.5 * ofOne[i] - 2 * ofTwo[i], within(1e-5));
                }
            }
        }
    }

    /** What merging an adapter adds to a matrix. */
    private static double[] change(BackboneModel model, Adapter adapter, String name) {
        try (ResidentAdapter resident = AdapterLoader.resident(model.base(), "combined", adapter);
                Backbone merged = model.base().merged(resident, null)) {
            float[] after = merged.parameter(name).orElseThrow().values();
            float[] before = model.parameter(name).orElseThrow().values();
            double[] change = new double[after.length];
            Arrays.setAll(change, i -> (double) after[i] - before[i]);
            return change;
        }
    }

    /** A training that was interrupted went on with an optimiser of zeros, and said nothing. */
    @Test
    void anInterruptedTrainingGoesOnWithItsOptimisersState(@TempDir Path folder) {
        Checkpoints checkpoints = Checkpoints.in(folder.resolve("checkpoints")).everySteps(1);
        try (Backbone base =
                Backbones.load(TinyModels.llama(folder.resolve("model"), 1), TestBackends.ENGINE, DType.F32)) {
            Adapter expected = answers(base, step -> false, null);
            assertThatThrownBy(() -> answers(base, step -> step == 3, checkpoints))
                    .isInstanceOf(TrainingCancelledException.class);
            Adapter resumed = answers(base, step -> false, checkpoints.resume());

            expected.parameters()
                    .forEach((name, value) -> assertThat(
                                    resumed.parameters().get(name).values())
                            .as(name)
                            .isEqualTo(value.values()));

            String lost = withoutSecondMoments(folder.resolve("checkpoints").resolve("checkpoint.safetensors"));
            assertThatThrownBy(() -> answers(base, step -> false, checkpoints.resume()))
                    .isInstanceOf(InvalidFileException.class)
                    .hasMessageContaining("cannot be resumed from: it lacks the part " + lost);
        }
    }

    private static Adapter answers(Backbone base, LongPredicate cancelsAfter, @Nullable Checkpoints checkpoints) {
        AtomicBoolean cancelled = new AtomicBoolean();
        AdapterTrainer<PromptAnswer> trainer = AdapterTrainer.on(base)
                .method(LoraConfig.builder().rank(2).build())
                .task(Tasks.answers())
                .batchSize(1)
                .epochs(3)
                .cancelWhen(cancelled::get)
                .listener(new TrainingListener() {
                    @Override
                    public void onStep(TrainingEvent.Step event) {
                        cancelled.set(cancelsAfter.test(event.step()));
                    }
                });
        if (checkpoints != null) {
            trainer.checkpoints(checkpoints);
        }
        return trainer.fit(List.of(new PromptAnswer("the book is", "red"), new PromptAnswer("the room is", "green")));
    }

    private static String withoutSecondMoments(Path file) {
        try (Safetensors checkpoint = Safetensors.open(file)) {
            List<StoredTensor> kept = checkpoint.names().stream()
                    .filter(name -> !name.startsWith("second_moment/"))
                    .map(checkpoint::find)
                    .toList();
            SafetensorsWriter.write(file, kept, checkpoint.metadata());
            return checkpoint.names().stream()
                    .filter(name -> name.startsWith("second_moment/"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    /** The active adapter was the model's own state, so threads answered with each other's. */
    @Test
    void eightThreadsWithAnAdapterEachGetTheirOwnResults() throws Exception {
        eightThreadsGetTheirOwnResults(TestBackends.EXACT);
        try (Backend engine =
                TorchBackend.open(EngineOptions.defaults().withThreads(1).withWorkers(4))) {
            eightThreadsGetTheirOwnResults(engine);
        }
    }

    private static void eightThreadsGetTheirOwnResults(Backend backend) throws Exception {
        List<AdapterConfig> configs = methods().toList();
        List<ResidentAdapter> adapters = new ArrayList<>();
        try (BackboneModel model = TinyBackbones.llama(backend, DType.F32)) {
            for (int i = 0; i < 8; i++) {
                adapters.add(resident(model, "tenant " + i, configs.get(i % configs.size())));
            }
            List<double[]> expected = adapters.stream()
                    .map(adapter -> logits(model, List.of(adapter)).get(0))
                    .toList();
            List<Callable<List<double[]>>> tasks = adapters.stream()
                    .map(adapter -> (Callable<List<double[]>>) () -> IntStream.range(0, 25)
                            .mapToObj(call -> logits(model, List.of(adapter)).get(0))
                            .toList())
                    .toList();

            List<List<double[]>> found = Concurrently.run(tasks);

            for (int i = 0; i < 8; i++) {
                double[] own = expected.get(i);
                assertThat(found.get(i))
                        .hasSize(25)
                        .allSatisfy(each -> assertThat(each).isEqualTo(own));
            }
            adapters.forEach(ResidentAdapter::close);
        }
    }

    private static ResidentAdapter resident(BackboneModel model, String name, AdapterConfig config) {
        return TestAdapter.random(name, config, model.spec()).resident(model);
    }

    private static Adapter adapter(BackboneModel model, AdapterConfig config) {
        AdapterConfig complete = AdapterMethods.complete(model.spec(), config);
        TestAdapter random = TestAdapter.random("trained", complete, model.spec());
        try (TrainableAdapter trained = random.trainable(model)) {
            return new Adapter(
                    AdapterMethods.of(complete).type(),
                    complete,
                    trained.stored(),
                    TaskData.NONE,
                    model.base().fingerprint().encode(),
                    new JsonObject());
        }
    }

    /** Each row has the same tokens, so that adapters alone tell rows apart; null stands for the base. */
    private static List<double[]> logits(BackboneModel model, List<ResidentAdapter> adapters) {
        return model.base().call("logits", session -> {
            List<Row> rows = new ArrayList<>();
            for (ResidentAdapter adapter : adapters) {
                rows.add(Row.of(adapter == null ? Stack.BASE : Stack.of(adapter.in(session)), 0, TOKENS));
            }
            Batch batch = Batch.of(session, model.spec(), rows);
            List<Tensor> ofRows = model.logits(new Run(session, batch, null));
            double[][] logits = new double[rows.size()][];
            for (int r = 0; r < logits.length; r++) {
                logits[batch.callersRow(r)] = ofRows.get(r).toDoubles();
            }
            return Arrays.asList(logits);
        });
    }
}
