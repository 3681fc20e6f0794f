package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.HostTensor;
import io.peftj.djl.backbone.Backbone;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.testkit.FaultyBackend;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class StoppingTest {
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

        /** Does something after a step, and keeps the last event. */
        private static final class After implements TrainingListener {
            private final long step;
            private final Runnable action;
            private final List<TrainingEvent.End> ends = new ArrayList<>();

            After(long step, Runnable action) {
                this.step = step;
                this.action = action;
            }

            @Override
            public void onStep(TrainingEvent.Step event) {
                if (event.step() == step) {
                    action.run();
                }
            }

            @Override
            public void onEnd(TrainingEvent.End event) {
                ends.add(event);
            }
        }

        @Test
        void aFlagCancelsAndWhatWasLearntIsKept() {
            try (Backbone base = bert()) {
                AtomicBoolean flag = new AtomicBoolean();
                After after = new After(2, () -> flag.set(true));
                TrainingCancelledException stopped = catchThrowableOfType(
                        TrainingCancelledException.class,
                        () -> opinions(base, LORA)
                                .schedule(Schedule.constant())
                                .cancelWhen(flag::get)
                                .listener(after)
                                .fit(Sentences.opinions()));
                assertThat(stopped).hasMessage("training was cancelled after step 2 of 5");
                assertThat(after.ends).singleElement().satisfies(end -> {
                    assertThat(end.reason()).isEqualTo(TrainingEvent.Reason.CANCELLED);
                    assertThat(end.steps()).isEqualTo(2);
                });
                Adapter went =
                        opinions(base, LORA).schedule(Schedule.constant()).fit(Sentences.opinions());
                assertThat(stopped.lastGood().parameters().keySet())
                        .isEqualTo(went.parameters().keySet());
                assertFinite(stopped.lastGood());
            }
        }

        @Test
        void anInterruptCancelsAndTheThreadStaysInterrupted() {
            try (Backbone base = bert()) {
                After after = new After(1, () -> Thread.currentThread().interrupt());
                TrainingCancelledException stopped = catchThrowableOfType(
                        TrainingCancelledException.class,
                        () -> opinions(base, LORA).listener(after).fit(Sentences.opinions()));
                assertThat(Thread.interrupted()).isTrue();
                assertThat(stopped).hasMessage("training was cancelled after step 1 of 5");
                assertFinite(stopped.lastGood());
            }
        }

        @Test
        void cancellationIsSeenBetweenLayers() {
            try (Backbone base = bert()) {
                AtomicInteger asked = new AtomicInteger();
                After after = new After(0, () -> {});
                assertThatThrownBy(() -> opinions(base, LORA)
                                .cancelWhen(() -> asked.incrementAndGet() > 3)
                                .listener(after)
                                .fit(Sentences.opinions()))
                        .isInstanceOf(TrainingCancelledException.class);
                assertThat(asked).hasValue(4);
                assertThat(after.ends.get(0).steps()).isZero();
            }
        }

        @Test
        void aLossThatIsNotFiniteStopsAndTheLastGoodAdapterIsKept() {
            try (Backbone base = bert()) {
                After after = new After(0, () -> {});
                TrainingStoppedException stopped = catchThrowableOfType(
                        TrainingStoppedException.class,
                        () -> opinions(base, LORA)
                                .batchSize(20)
                                .learningRate(1e38)
                                .schedule(Schedule.constant())
                                .listener(after)
                                .fit(Sentences.opinions()));
                assertThat(stopped)
                        .hasMessageContaining("of step 2 is ")
                        .hasMessageContaining("in epoch 1, on the examples [")
                        .hasMessageContaining("lower the learning rate");
                assertFinite(stopped.lastGood());
                assertThat(after.ends.get(0).reason()).isEqualTo(TrainingEvent.Reason.FAILED);
            }
        }

        @Test
        void anErrorOfAListenerEndsTheTraining() {
            try (Backbone base = bert()) {
                After after = new After(1, () -> {
                    throw new IllegalStateException("no room on disk");
                });
                assertThatThrownBy(() -> opinions(base, LORA).listener(after).fit(Sentences.opinions()))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessage("no room on disk");
                assertThat(after.ends).hasSize(1);
            }
        }

        @Test
        void aClosedBackboneRefuses() {
            Backbone base = bert();
            base.close();
            assertThatThrownBy(() -> opinions(base, LORA).fit(Sentences.opinions()))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("fit: the backbone is closed");
        }

        @Test
        void closingTheBackboneMeanwhileEndsTheTrainingAndFreesAll() {
            Backbone base = bert();
            assertThatThrownBy(() -> opinions(base, LORA)
                            .listener(new After(1, base::close))
                            .fit(Sentences.opinions()))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("train: the backbone is closed");
        }

        /** Every eleventh call of loading, two steps, an evaluation and folding. */
        @Test
        void nothingLeaksWhereverAKernelFails() {
            FaultyBackend counting = FaultyBackend.counting(backend());
            fitOnce(counting);
            long calls = counting.calls();
            assertThat(calls).isGreaterThan(300);
            for (long call = 0; call < calls; call += 11) {
                FaultyBackend faulty = FaultyBackend.failingAt(backend(), call);
                assertThatThrownBy(() -> fitOnce(faulty)).isInstanceOf(FaultyBackend.InjectedFault.class);
                assertThat(backend().memory().liveBytes())
                        .as("bytes alive after a fault in call %d", call)
                        .isZero();
            }
        }

        private void fitOnce(Backend faulty) {
            try (Backbone base = bert(faulty)) {
                opinions(base, LORA)
                        .fit(
                                Sentences.opinions().subList(0, 16),
                                Sentences.opinions().subList(0, 8));
            }
        }

        private static void assertFinite(Adapter adapter) {
            for (HostTensor value : adapter.parameters().values()) {
                for (float v : value.values()) {
                    assertThat(v).isFinite();
                }
            }
        }
    }
}
