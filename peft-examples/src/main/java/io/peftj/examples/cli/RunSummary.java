package io.peftj.examples.cli;

import io.peftj.djl.train.Evaluation;
import io.peftj.djl.train.TrainingEvent;
import io.peftj.djl.train.TrainingListener;
import org.jspecify.annotations.Nullable;

/** Remembers what is worth telling of a training run when it is over. */
final class RunSummary implements TrainingListener {
    private long trainable;
    private long steps;
    private double loss = Double.NaN;
    private double seconds;
    private @Nullable Evaluation best;

    @Override
    public void onStart(TrainingEvent.Start event) {
        trainable = event.trainable();
    }

    @Override
    public void onResume(TrainingEvent.Resumed event) {
        loss = event.loss();
        best = event.best();
    }

    @Override
    public void onStep(TrainingEvent.Step event) {
        loss = event.loss();
    }

    @Override
    public void onEvaluation(TrainingEvent.Evaluated event) {
        best = event.best() ? event.result() : best;
    }

    @Override
    public void onEnd(TrainingEvent.End event) {
        steps = event.steps();
        seconds = event.elapsed().toNanos() / 1e9;
    }

    /** Number of trained parameters. */
    long trainable() {
        return trainable;
    }

    /** Number of steps. */
    long steps() {
        return steps;
    }

    /** How long it took, without reading and tokenising the data. */
    double seconds() {
        return seconds;
    }

    /** What happened, in one line. */
    JsonLine json(String method) {
        JsonLine line = new JsonLine()
                .put("method", method)
                .put("trainable", trainable)
                .put("steps", steps)
                .put("loss", loss)
                .putRounded("seconds", seconds, 1);
        if (best != null) {
            line.put("validation_loss", best.loss());
            best.scores().forEach((metric, value) -> line.put("validation_" + metric, value));
        }
        return line;
    }
}
