package io.peftj.djl.train;

import io.peftj.core.PeftException;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.TaskData;
import io.peftj.core.adapter.TaskType;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.TextEncoder;
import io.peftj.djl.chat.ChatTemplate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Speaking the assistant's part of conversations, put into text by the model's own chat template. Of each turn of the assistant all is learnt that the
 * template writes behind the prompt for it, up to and with the token that ends it; what others say is not. The text is tokenised whole, as prompts are when the model is asked, so a
 * token that the prompt alone would not have belongs to the answer.
 *
 * <p>A conversation is one row, unless its template writes earlier turns otherwise than the last one, as those do that leave out what a model thought, or the
 * method reads the prompt as a whole: then each of the assistant's turns is a row of its own after all that was said before, as it is when the model is
 * asked.
 *
 * <p>A row that is too long loses its end. A conversation of whose answers nothing is left is an error.
 *
 * @param maxLength the most tokens of a row; null for as many as the model takes
 * @param template makes the text; null for the model's own
 * @param labelSmoothing the share of a label that all tokens have alike, 0 to below 1
 */
public record ChatTask(
        @Nullable Integer maxLength, @Nullable ChatTemplate template, double labelSmoothing)
        implements Task<Conversation> {
    /** Checks the numbers. */
    public ChatTask {
        TaskChecks.checkLength(maxLength);
        TaskChecks.checkSmoothing(labelSmoothing);
    }

    /** The task of an adapter, to measure it or to train it further, with the model's own chat template. */
    public static ChatTask of(TaskData data) {
        return new ChatTask(data.maxLength(), null, 0);
    }

    /** The same for rows of at most so many tokens. */
    public ChatTask maxLength(int tokens) {
        return new ChatTask(tokens, template, labelSmoothing);
    }

    /** The same with another template than the model's own. */
    public ChatTask template(ChatTemplate other) {
        return new ChatTask(maxLength, other, labelSmoothing);
    }

    /** The same where a share of every label goes to all tokens alike, in training only. */
    public ChatTask labelSmoothing(double share) {
        return new ChatTask(maxLength, template, share);
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

    /** Without a template around prompts: applications make the whole conversation's text by the chat template. */
    @Override
    public TaskData data(Backbone base) {
        return new TaskData(List.of(), null, maxLength, null, base.tokenizer().fingerprint());
    }

    @Override
    public List<Example> examples(Backbone base, AdapterPlan plan, Iterable<Conversation> rows) {
        ChatTemplate chat = template == null ? base.tokenizer().chatTemplate() : template;
        int most = TextEncoder.of(base, data(base), plan.positionShift()).maxLength();
        List<Example> examples = new ArrayList<>();
        int number = 0;
        for (Conversation row : rows) {
            List<ChatTurn> turns = turns(chat, row, number);
            String whole = chat.conversation(row.messages());
            boolean oneRow = !plan.readsWholePrompt() && turns.stream().allMatch(turn -> whole.startsWith(turn.text()));
            int before = examples.size();
            if (oneRow) {
                add(examples, base, plan, whole, turns, most);
            } else {
                turns.forEach(turn -> add(examples, base, plan, turn.text(), List.of(turn), most));
            }
            if (examples.size() == before) {
                throw new PeftException("row " + number + "'s conversation (\"" + TextEncoder.beginning(whole)
                        + "\") leaves none of its answers room in " + most
                        + " tokens; allow longer rows, shorten it or leave it out");
            }
            number++;
        }
        return examples;
    }

    private static List<ChatTurn> turns(ChatTemplate chat, Conversation row, int number) {
        List<ChatTurn> turns = new ArrayList<>();
        for (int m = 0; m < row.messages().size(); m++) {
            if (row.messages().get(m).role().equals(ChatTurn.ASSISTANT)) {
                turns.add(ChatTurn.of(chat, row.messages().subList(0, m + 1), number));
            }
        }
        if (turns.isEmpty()) {
            throw new PeftException("row " + number + "'s conversation has no message of the role \""
                    + ChatTurn.ASSISTANT + "\", so there is nothing to learn; leave it out");
        }
        return turns;
    }

    /** Adds a row in which some turns are learnt, unless it is cut before the first of them. */
    private static void add(
            List<Example> examples, Backbone base, AdapterPlan plan, String text, List<ChatTurn> turns, int most) {
        int[] ids = base.tokenizer().encodePlain(text);
        BitSet learnt = new BitSet();
        turns.forEach(turn -> turn.mark(learnt, base, ids));
        int length = Math.min(ids.length, most);
        learnt.clear(length, ids.length + 1);
        learnt.clear(0, plan.firstPredicted());
        if (!learnt.isEmpty()) {
            examples.add(Example.answered(examples.size(), learnt, Arrays.copyOf(ids, length)));
        }
    }
}
