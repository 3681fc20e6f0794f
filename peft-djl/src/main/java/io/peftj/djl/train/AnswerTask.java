package io.peftj.djl.train;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.PeftException;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.TaskData;
import io.peftj.core.adapter.TaskType;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.TextEncoder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Answering prompts. Prompt and answer are tokenised apart, without special tokens other than those they spell out, and an end token follows; the answer and
 * the end token are learnt, the prompt is not.
 *
 * <p>A row that is too long loses the end of its answer, and with it the end token; a prompt that leaves the answer no room is an error, since a prompt cut
 * in half is another prompt.
 *
 * @param maxLength the most tokens of a row; null for as many as the model takes
 * @param template what the prompt is put into, {text} standing for it; null for the prompt alone
 * @param endToken what follows an answer; null for the model's own
 * @param labelSmoothing the share of a label that all tokens have alike, 0 to below 1
 */
public record AnswerTask(
        @Nullable Integer maxLength,
        @Nullable String template,
        @Nullable Integer endToken,
        double labelSmoothing) implements Task<PromptAnswer> {
    /** Checks the numbers. */
    public AnswerTask {
        TaskChecks.checkLength(maxLength);
        TaskChecks.checkSmoothing(labelSmoothing);
    }

    /** The task of an adapter, to measure it or to train it further; answers end with the model's own token. */
    public static AnswerTask of(TaskData data) {
        return new AnswerTask(data.maxLength(), data.promptTemplate(), null, 0);
    }

    /** The same for rows of at most so many tokens. */
    public AnswerTask maxLength(int tokens) {
        return new AnswerTask(tokens, template, endToken, labelSmoothing);
    }

    /** The same with prompts put into a template, {text} standing for them. */
    public AnswerTask template(String around) {
        return new AnswerTask(maxLength, around, endToken, labelSmoothing);
    }

    /** The same with another token at the end of answers. */
    public AnswerTask endToken(int id) {
        return new AnswerTask(maxLength, template, id, labelSmoothing);
    }

    /** The same where a share of every label goes to all tokens alike, in training only. */
    public AnswerTask labelSmoothing(double share) {
        return new AnswerTask(maxLength, template, endToken, share);
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
        return new TaskData(
                List.of(), template, maxLength, null, base.tokenizer().fingerprint());
    }

    @Override
    public List<Example> examples(Backbone base, AdapterPlan plan, Iterable<PromptAnswer> rows) {
        return examples(base, plan.positionShift(), rows);
    }

    /**
     * Makes examples as for adapters that take so many positions; 0 to measure the base model alone.
     *
     * @throws PeftException if a row leaves its answer no room, naming it
     */
    public List<Example> examples(Backbone base, int positionShift, Iterable<PromptAnswer> rows) {
        TextEncoder encoder = TextEncoder.of(base, data(base), positionShift);
        int end = end(base);
        List<Example> examples = new ArrayList<>();
        for (PromptAnswer row : rows) {
            int[] prompt = encoder.prompt(row.prompt());
            int[] answer = base.tokenizer().encodePlain(row.answer());
            int room = encoder.maxLength() - prompt.length;
            if (room < 1) {
                throw new PeftException("row " + examples.size() + "'s prompt (\""
                        + TextEncoder.beginning(row.prompt()) + "\") has " + prompt.length
                        + " tokens, which leaves its answer no room in " + encoder.maxLength()
                        + "; allow longer rows, shorten the prompt or leave the row out");
            }
            int[] ids = Stream.of(prompt, answer, new int[] {end})
                    .flatMapToInt(Arrays::stream)
                    .toArray();
            int length = Math.min(ids.length, encoder.maxLength());
            examples.add(Example.answered(examples.size(), prompt.length, Arrays.copyOf(ids, length)));
        }
        return examples;
    }

    private int end(Backbone base) {
        if (endToken != null) {
            return endToken;
        }
        if (base.endTokens().isEmpty()) {
            throw new InvalidConfigException(
                    "the model's config.json has no eos_token_id; say which token ends an answer by endToken(id)");
        }
        return base.endTokens().get(0);
    }
}
