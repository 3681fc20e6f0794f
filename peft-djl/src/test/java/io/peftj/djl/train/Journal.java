package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes down what a run reports, and holds a run in several parts to reporting the same again. */
final class Journal implements TrainingListener {
    private final Map<String, String> reported = new LinkedHashMap<>();
    private final List<Long> checkpoints = new ArrayList<>();
    private final List<TrainingEvent.Resumed> resumptions = new ArrayList<>();

    /** Losses, rates, norms and evaluations by step or epoch. */
    Map<String, String> reported() {
        return reported;
    }

    /** The steps that checkpoints were written after. */
    List<Long> checkpoints() {
        return checkpoints;
    }

    List<TrainingEvent.Resumed> resumptions() {
        return resumptions;
    }

    @Override
    public void onResume(TrainingEvent.Resumed event) {
        resumptions.add(event);
    }

    @Override
    public void onStep(TrainingEvent.Step event) {
        note(
                "step " + event.step(),
                event.epoch() + " " + event.loss() + " " + event.learningRate() + " " + event.gradientNorm());
    }

    @Override
    public void onEvaluation(TrainingEvent.Evaluated event) {
        note("evaluation " + event.epoch(), event.step() + " " + event.result() + " " + event.best());
    }

    @Override
    public void onEpoch(TrainingEvent.Epoch event) {
        note("epoch " + event.epoch(), Double.toString(event.loss()));
    }

    @Override
    public void onCheckpoint(TrainingEvent.Saved event) {
        checkpoints.add(event.step());
    }

    private void note(String what, String values) {
        String before = reported.put(what, values);
        assertThat(before == null ? values : before).as(what).isEqualTo(values);
    }
}
