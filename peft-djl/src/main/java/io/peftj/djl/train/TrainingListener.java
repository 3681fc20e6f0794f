package io.peftj.djl.train;

/**
 * Is told how training goes. Every method does nothing unless overridden; all are called on the thread that trains.
 *
 * <p>An exception that a listener throws ends the training, as an error anywhere else would.
 */
public interface TrainingListener {
    /** Before the first step. */
    default void onStart(TrainingEvent.Start event) {}

    /** After the start of a run that goes on from a checkpoint. */
    default void onResume(TrainingEvent.Resumed event) {}

    /** After each step. */
    default void onStep(TrainingEvent.Step event) {}

    /** After each evaluation, which comes after the epoch's last step. */
    default void onEvaluation(TrainingEvent.Evaluated event) {}

    /** After each epoch's evaluation, of adapters of which there is something to measure. */
    default void onMeasurement(TrainingEvent.Measured event) {}

    /** After each epoch and its evaluation. */
    default void onEpoch(TrainingEvent.Epoch event) {}

    /** After each checkpoint. */
    default void onCheckpoint(TrainingEvent.Saved event) {}

    /** At the end, also of a run that was cancelled or failed: the place to close things. */
    default void onEnd(TrainingEvent.End event) {}
}
