package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.tensor.Backend;
import io.peftj.djl.backbone.Backbone;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.methods.prefix.PrefixConfig;
import io.peftj.methods.reft.ReftConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A run that was interrupted equals one that was not. */
class CheckpointTest {
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
                LoraConfig.builder().rank(2).dropout(0.2).build();
        private static final List<LabelledText> TRAIN = Sentences.opinions().subList(0, 20);
        private static final List<LabelledText> VALIDATION =
                Sentences.opinions().subList(20, 32);

        private static List<AdapterConfig> methods() {
            return List.of(
                    LORA,
                    PrefixConfig.builder().virtualTokens(3).projection(true).build(),
                    ReftConfig.builder().rank(2).dropout(0.1).build());
        }

        private static final class Crash extends RuntimeException {
            private static final long serialVersionUID = 1L;
        }

        /** Ends the run like a power cut would: nothing is written any more. */
        private static TrainingListener crashAtStep(long step) {
            return new TrainingListener() {
                @Override
                public void onStep(TrainingEvent.Step event) {
                    if (event.step() == step) {
                        throw new Crash();
                    }
                }
            };
        }

        /** Dropout, accumulation, early stopping and a schedule, in four epochs of six. */
        private AdapterTrainer<LabelledText> trainer(Backbone base, AdapterConfig config) {
            return opinions(base, config)
                    .epochs(6)
                    .learningRate(4e-2)
                    .batching(Batching.tokens(40))
                    .microBatchSize(3)
                    .schedule(Schedule.cosine().warmUpSteps(3))
                    .weightDecay(0.01)
                    .earlyStopping(2)
                    .seed(11);
        }

        private Checkpoints checkpoints() {
            return Checkpoints.in(folder.resolve("checkpoints"));
        }

        @ParameterizedTest
        @MethodSource("methods")
        void aRunInterruptedAtAStepEndsAsIfItHadNotBeen(AdapterConfig config) throws IOException {
            try (Backbone base = bert()) {
                Journal whole = new Journal();
                Adapter expected = trainer(base, config).listener(whole).fit(TRAIN, VALIDATION);
                long steps = whole.reported().keySet().stream()
                        .filter(what -> what.startsWith("step"))
                        .count();
                assertThat(steps).isGreaterThan(6);
                for (long step = 1; step <= steps; step += 5) { // each place in an epoch of four steps
                    Journal parts = new Journal();
                    Checkpoints each = checkpoints(step);
                    TrainingListener crash = crashAtStep(step);
                    assertThatThrownBy(() -> trainer(base, config)
                                    .checkpoints(each)
                                    .listener(parts)
                                    .listener(crash)
                                    .fit(TRAIN, VALIDATION))
                            .isInstanceOf(Crash.class);
                    Adapter resumed = trainer(base, config)
                            .checkpoints(each.resume())
                            .listener(parts)
                            .fit(TRAIN, VALIDATION);

                    assertSameFiles(resumed, expected);
                    assertThat(parts.reported())
                            .as("interrupted at step %d", step)
                            .isEqualTo(whole.reported());
                    if (step > 2) {
                        assertThat(parts.resumptions()).singleElement().satisfies(resumption -> {
                            assertThat(resumption.elsewhere()).isEmpty();
                            assertThat(resumption.step()).isPositive();
                        });
                    }
                }
            }
        }

        private Checkpoints checkpoints(long step) {
            return Checkpoints.in(folder.resolve("checkpoints " + step)).everySteps(2);
        }

        /** The evaluation is repeated, and counts once. */
        @Test
        void aRunInterruptedBetweenAnEvaluationAndItsCheckpointEndsAsIfItHadNotBeen() throws IOException {
            try (Backbone base = bert()) {
                Journal whole = new Journal();
                Adapter expected = trainer(base, LORA).listener(whole).fit(TRAIN, VALIDATION);
                Journal parts = new Journal();
                TrainingListener crash = new TrainingListener() {
                    @Override
                    public void onEvaluation(TrainingEvent.Evaluated event) {
                        throw new Crash();
                    }
                };
                Checkpoints everyStep = checkpoints().everySteps(1);
                assertThatThrownBy(() -> trainer(base, LORA)
                                .checkpoints(everyStep)
                                .listener(parts)
                                .listener(crash)
                                .fit(TRAIN, VALIDATION))
                        .isInstanceOf(Crash.class);
                long lastOfEpoch = parts.checkpoints().get(parts.checkpoints().size() - 1);
                Adapter resumed = trainer(base, LORA)
                        .checkpoints(everyStep.resume())
                        .listener(parts)
                        .fit(TRAIN, VALIDATION);

                assertThat(parts.resumptions()).singleElement().satisfies(resumption -> {
                    assertThat(resumption.step()).isEqualTo(lastOfEpoch);
                    assertThat(resumption.epoch()).isEqualTo(1);
                    assertThat(resumption.best()).isNull();
                });
                assertSameFiles(resumed, expected);
                assertThat(parts.reported()).isEqualTo(whole.reported());
            }
        }

        @Test
        void aListenerThatCancelsAfterAnEvaluationDoesNotMakeItCountTwice() throws IOException {
            try (Backbone base = bert()) {
                Journal whole = new Journal();
                Adapter expected = trainer(base, LORA).listener(whole).fit(TRAIN, VALIDATION);
                Journal parts = new Journal();
                TrainingListener cancelling = new TrainingListener() {
                    @Override
                    public void onEvaluation(TrainingEvent.Evaluated event) {
                        throw new CancellationException("seen enough");
                    }
                };
                for (int part = 0; part < 3; part++) {
                    assertThatThrownBy(() -> trainer(base, LORA)
                                    .checkpoints(checkpoints().resume())
                                    .listener(parts)
                                    .listener(cancelling)
                                    .fit(TRAIN, VALIDATION))
                            .isInstanceOf(TrainingCancelledException.class);
                }
                Adapter resumed = trainer(base, LORA)
                        .checkpoints(checkpoints().resume())
                        .listener(parts)
                        .fit(TRAIN, VALIDATION);
                assertSameFiles(resumed, expected);
                // Three epochs were cancelled before they were reported.
                assertThat(whole.reported()).containsAllEntriesOf(parts.reported());
                assertThat(parts.reported()).hasSize(whole.reported().size() - 3);
            }
        }

        @Test
        void aCancelledRunLosesNothing() throws IOException {
            try (Backbone base = llama()) {
                Adapter expected = colours(base, LORA).epochs(6).fit(Sentences.colours());
                Journal parts = new Journal();
                TrainingListener interrupting = new TrainingListener() {
                    @Override
                    public void onStep(TrainingEvent.Step event) {
                        if (event.step() == 3) {
                            Thread.currentThread().interrupt();
                        }
                    }
                };
                assertThatThrownBy(() -> colours(base, LORA)
                                .epochs(6)
                                .checkpoints(checkpoints().everySteps(100))
                                .listener(interrupting)
                                .fit(Sentences.colours()))
                        .isInstanceOf(TrainingCancelledException.class)
                        .hasNoSuppressedExceptions();
                assertThat(Thread.interrupted()).isTrue();
                Adapter resumed = colours(base, LORA)
                        .epochs(6)
                        .checkpoints(checkpoints().resume())
                        .listener(parts)
                        .fit(Sentences.colours());
                assertThat(parts.resumptions().get(0).step()).isEqualTo(3);
                assertSameFiles(resumed, expected);
            }
        }

        @Test
        void aFinishedRunIsNotRepeated() throws IOException {
            try (Backbone base = bert()) {
                Journal again = new Journal();
                Adapter expected =
                        trainer(base, LORA).checkpoints(checkpoints()).fit(TRAIN, VALIDATION);
                Adapter resumed = trainer(base, LORA)
                        .checkpoints(checkpoints().resume())
                        .listener(again)
                        .fit(TRAIN, VALIDATION);
                assertSameFiles(resumed, expected);
                assertThat(again.reported()).isEmpty();
            }
        }

        /** From a file, the prefix itself is trained rather than the network that made it. */
        @Test
        void trainingAnAdapterFurtherIsResumedToo() throws IOException {
            AdapterConfig config =
                    PrefixConfig.builder().virtualTokens(3).projection(true).build();
            try (Backbone base = llama()) {
                Adapter first = colours(base, config).fit(Sentences.colours());
                Adapter expected = further(base, first).fit(Sentences.colours());
                assertThatThrownBy(() -> further(base, first)
                                .checkpoints(checkpoints().everySteps(1))
                                .listener(crashAtStep(3))
                                .fit(Sentences.colours()))
                        .isInstanceOf(Crash.class);
                Adapter resumed =
                        further(base, first).checkpoints(checkpoints().resume()).fit(Sentences.colours());
                assertSameFiles(resumed, expected);

                assertThatThrownBy(() -> further(base, expected)
                                .checkpoints(checkpoints().resume())
                                .fit(Sentences.colours()))
                        .hasMessageContaining("starts_from is ");
            }
        }

        private AdapterTrainer<PromptAnswer> further(Backbone base, Adapter from) {
            return AdapterTrainer.on(base)
                    .startFrom(from)
                    .task(Tasks.answers())
                    .batchSize(2)
                    .epochs(3);
        }

        @Test
        void checkpointsComeAfterEpochsAndWhereARuleAsks() {
            try (Backbone base = bert()) {
                assertThat(checkpointsOf(base, Checkpoints.in(folder.resolve("a"))))
                        .containsExactly(5L, 10L);
                assertThat(checkpointsOf(
                                base, Checkpoints.in(folder.resolve("b")).everySteps(2)))
                        .containsExactly(2L, 4L, 5L, 7L, 9L, 10L);
                assertThat(checkpointsOf(
                                base, Checkpoints.in(folder.resolve("c")).every(Duration.ofNanos(1))))
                        .containsExactly(1L, 2L, 3L, 4L, 5L, 5L, 6L, 7L, 8L, 9L, 10L, 10L);
                assertThat(checkpointsOf(
                                base, Checkpoints.in(folder.resolve("d")).every(Duration.ofDays(1))))
                        .containsExactly(5L, 10L);
            }
        }

        private static List<Long> checkpointsOf(Backbone base, Checkpoints rules) {
            Journal journal = new Journal();
            opinions(base, LORA)
                    .epochs(2)
                    .checkpoints(rules)
                    .listener(journal)
                    .fit(Sentences.opinions(), Sentences.opinions());
            return journal.checkpoints();
        }

        /** Parameters of no use must not take the place of those that can be resumed from. */
        @Test
        void parametersThatOverflowedDoNotReplaceTheCheckpoint() {
            try (Backbone base = bert()) {
                Journal journal = new Journal();
                assertThatThrownBy(() -> opinions(base, LORA)
                                .batchSize(10)
                                .learningRate(3e38)
                                .weightDecay(1e5)
                                .schedule(Schedule.constant())
                                .checkpoints(checkpoints().everySteps(1))
                                .listener(journal)
                                .fit(Sentences.opinions()))
                        .isInstanceOf(TrainingStoppedException.class);
                assertThat(journal.checkpoints()).isEmpty();
            }
        }

        private void assertSameFiles(Adapter found, Adapter expected) throws IOException {
            found.save(folder.resolve("found"));
            expected.save(folder.resolve("expected"));
            for (String name : List.of("adapter_model.safetensors", "adapter_config.json")) {
                Path one = folder.resolve("found").resolve(name);
                Path other = folder.resolve("expected").resolve(name);
                assertThat(Files.mismatch(one, other)).as(name).isEqualTo(-1);
            }
        }
    }
}
