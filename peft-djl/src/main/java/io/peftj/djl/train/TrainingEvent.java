package io.peftj.djl.train;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Something that happened in a training run, for a {@link TrainingListener}. */
public sealed interface TrainingEvent {
    /**
     * Training is about to begin.
     *
     * @param method the adapter's type, such as "LORA"
     * @param trainable how many numbers are trained
     * @param examples how many examples an epoch has
     * @param validationExamples how many examples it is evaluated on
     * @param epochs how often the examples are gone through
     * @param steps how many optimiser steps that is
     * @param run its settings and what computes it
     */
    record Start(
            String method,
            long trainable,
            int examples,
            int validationExamples,
            int epochs,
            long steps,
            RunDescription run)
            implements TrainingEvent {}

    /**
     * Training goes on from a checkpoint; comes after {@link Start}. Steps, evaluations and epochs after it are told again where they were told before the
     * interruption, with the same losses.
     *
     * @param step how many steps were taken before
     * @param epoch that goes on, from 1; one more than there are if all were done
     * @param loss the last step's
     * @param best the best evaluation before; null for none
     * @param elsewhere in what the environment differs from that of before; empty if the run equals one without interruption bit for bit
     */
    record Resumed(
            long step, int epoch, double loss, @Nullable Evaluation best, List<String> elsewhere)
            implements TrainingEvent {
        /** Keeps a copy. */
        public Resumed {
            elsewhere = List.copyOf(elsewhere);
        }
    }

    /**
     * A checkpoint was written: a run that ends now can go on from here.
     *
     * @param step after which
     * @param folder where it is
     */
    record Saved(long step, Path folder) implements TrainingEvent {}

    /**
     * The optimiser took a step.
     *
     * @param step its number, from 1
     * @param steps how many there are
     * @param epoch from 1
     * @param loss the mean negative log-likelihood of what the batch's rows should give, before the step
     * @param learningRate of this step
     * @param gradientNorm before clipping
     * @param tokens of its rows
     * @param took how long it took
     * @param tokensPerSecond tokens trained on a second since the start, evaluation left out
     * @param examplesPerSecond likewise
     * @param elapsed since the start
     * @param remaining what the steps still to come take at that speed, evaluation left out
     * @param nativeBytes alive in the backend after the step: model, adapter, optimiser
     * @param peakNativeBytes the most that were alive there at once
     */
    record Step(
            long step,
            long steps,
            int epoch,
            double loss,
            double learningRate,
            double gradientNorm,
            long tokens,
            Duration took,
            double tokensPerSecond,
            double examplesPerSecond,
            Duration elapsed,
            Duration remaining,
            long nativeBytes,
            long peakNativeBytes)
            implements TrainingEvent {}

    /**
     * The adapter was evaluated on the validation examples.
     *
     * @param epoch after which, from 1
     * @param step after which
     * @param result how well it does
     * @param best whether no earlier one was as good
     */
    record Evaluated(int epoch, long step, Evaluation result, boolean best) implements TrainingEvent {}

    /**
     * Something about the adapter itself was measured.
     *
     * @param epoch after which, from 1
     * @param step after which
     * @param values by name; "activation_out_of_range" is the share of what a nonlinearity is given that lies outside the range it is made for, on the
     *     first training examples
     */
    record Measured(int epoch, long step, Map<String, Double> values) implements TrainingEvent {
        /** Keeps a copy in its order. */
        public Measured {
            values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
        }
    }

    /**
     * All examples were gone through once more.
     *
     * @param epoch from 1
     * @param epochs how many there are
     * @param loss the mean of the steps' losses
     * @param elapsed since the start
     */
    record Epoch(int epoch, int epochs, double loss, Duration elapsed) implements TrainingEvent {}

    /**
     * Training is over, one way or another.
     *
     * @param reason why
     * @param steps how many steps were taken
     * @param elapsed since the start
     */
    record End(Reason reason, long steps, Duration elapsed) implements TrainingEvent {}

    /** Why training is over. */
    enum Reason {
        /** All epochs are done. */
        COMPLETED,
        /** Evaluation did not improve for as many epochs as early stopping waits. */
        STOPPED_EARLY,
        /** It was cancelled. */
        CANCELLED,
        /** An error ended it. */
        FAILED
    }
}
