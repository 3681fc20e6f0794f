package io.peftj.djl.train;

import java.util.List;

/** Tells several listeners, in their order. */
record Listeners(List<TrainingListener> all) implements TrainingListener {
    Listeners {
        all = List.copyOf(all);
    }

    @Override
    public void onStart(TrainingEvent.Start event) {
        all.forEach(listener -> listener.onStart(event));
    }

    @Override
    public void onResume(TrainingEvent.Resumed event) {
        all.forEach(listener -> listener.onResume(event));
    }

    @Override
    public void onStep(TrainingEvent.Step event) {
        all.forEach(listener -> listener.onStep(event));
    }

    @Override
    public void onEvaluation(TrainingEvent.Evaluated event) {
        all.forEach(listener -> listener.onEvaluation(event));
    }

    @Override
    public void onMeasurement(TrainingEvent.Measured event) {
        all.forEach(listener -> listener.onMeasurement(event));
    }

    @Override
    public void onEpoch(TrainingEvent.Epoch event) {
        all.forEach(listener -> listener.onEpoch(event));
    }

    @Override
    public void onCheckpoint(TrainingEvent.Saved event) {
        all.forEach(listener -> listener.onCheckpoint(event));
    }

    @Override
    public void onEnd(TrainingEvent.End event) {
        all.forEach(listener -> listener.onEnd(event));
    }
}
