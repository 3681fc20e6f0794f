package io.peftj.djl.train;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.TaskData;
import io.peftj.core.adapter.TaskType;
import io.peftj.djl.backbone.Backbone;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Continuing texts. A text is tokenised without special tokens and cut into windows one after another; a rest of one token is left out, and no window holds
 * two texts. Every token but a window's first is learnt, that one too where an adapter's virtual tokens stand before it, or under a method that reads the prompt as a whole, those after the first (n + 1) / 2 of a window of
 * n: such a method must not see what it learns.
 *
 * @param window the most tokens of a row
 * @param labelSmoothing the share of a label that all tokens have alike, 0 to below 1
 * @param halfLearnt whether only those after the first (n + 1) / 2 are learnt and measured under every method
 */
public record TextTask(int window, double labelSmoothing, boolean halfLearnt) implements Task<String> {
    /** Checks the numbers. */
    public TextTask {
        TaskChecks.checkLength(window);
        TaskChecks.checkSmoothing(labelSmoothing);
    }

    /** The same where a share of every label goes to all tokens alike, in training only. */
    public TextTask labelSmoothing(double share) {
        return new TextTask(window, share, halfLearnt);
    }

    /** The same where only the second half of each window is learnt and measured, so that methods compare with those that read the prompt as a whole. */
    public TextTask secondHalves() {
        return new TextTask(window, labelSmoothing, true);
    }

    @Override
    public BackboneSpec spec(Backbone base) {
        return base.spec();
    }

    @Override
    public List<TaskType> types(Backbone base) {
        return List.of(TaskType.CAUSAL_LM);
    }

    @Override
    public Objective objective(Backbone base) {
        return new Objective.NextToken(labelSmoothing);
    }

    @Override
    public TaskData data(Backbone base) {
        return new TaskData(List.of(), null, window, null, base.tokenizer().fingerprint());
    }

    @Override
    public List<Example> examples(Backbone base, AdapterPlan plan, Iterable<String> rows) {
        int most = Math.min(window, base.spec().positions() - plan.positionShift());
        if (most < 2) {
            throw new InvalidConfigException("the adapter's " + plan.positionShift()
                    + " virtual tokens leave rows no room in the model's "
                    + base.spec().positions()
                    + " positions; use fewer");
        }
        List<Example> examples = new ArrayList<>();
        for (String text : rows) {
            int[] ids = base.tokenizer().encodePlain(text);
            for (int from = 0; from + 1 < ids.length; from += most) {
                int[] part = Arrays.copyOfRange(ids, from, Math.min(ids.length, from + most));
                examples.add(Example.answered(examples.size(), prompt(plan, part.length), part));
            }
        }
        return examples;
    }

    private int prompt(AdapterPlan plan, int tokens) {
        return halfLearnt ? (tokens + 1) / 2 : plan.promptOfText(tokens);
    }
}
