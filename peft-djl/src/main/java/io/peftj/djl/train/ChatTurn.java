package io.peftj.djl.train;

import io.peftj.core.PeftException;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.TextEncoder;
import io.peftj.djl.chat.ChatTemplate;
import io.peftj.djl.chat.Message;
import java.util.BitSet;
import java.util.List;

/**
 * A turn of the assistant's in a conversation.
 *
 * @param prompt the text that asks for it
 * @param text the same text with the answer behind
 */
record ChatTurn(String prompt, String text) {
    /** Whose messages are learnt. */
    static final String ASSISTANT = "assistant";

    /**
     * The turn that ends some messages.
     *
     * @throws PeftException if the template does not write the answer behind the prompt for it
     */
    static ChatTurn of(ChatTemplate chat, List<Message> messages, int row) {
        int last = messages.size() - 1;
        ChatTurn turn = new ChatTurn(chat.prompt(messages.subList(0, last)), chat.conversation(messages));
        if (!turn.text.startsWith(turn.prompt)) {
            throw new PeftException("row " + row + ", message " + last + " (\""
                    + TextEncoder.beginning(messages.get(last).content())
                    + "\"): the chat template does not write an answer behind the prompt that asks for it, so what to"
                    + " learn cannot be told; the prompt ends in \"" + end(turn.prompt)
                    + "\"; begin with another role, or give the task another template");
        }
        return turn;
    }

    /**
     * Marks the turn's tokens in a row that begins with its text: from the first that the prompt alone has not, to the one that ends the answer, or where
     * none does to the text's end.
     */
    void mark(BitSet learnt, Backbone base, int[] ids) {
        int begin = common(base.tokenizer().encodePlain(prompt), ids);
        int end = common(base.tokenizer().encodePlain(text), ids);
        for (int token = end - 1; token >= begin; token--) {
            if (base.endTokens().contains(ids[token])) {
                end = token + 1; // what the template writes behind it is never generated
                break;
            }
        }
        learnt.set(begin, Math.max(begin, end));
    }

    /** How many tokens two texts have in common at their beginning. */
    private static int common(int[] a, int[] b) {
        int tokens = 0;
        while (tokens < Math.min(a.length, b.length) && a[tokens] == b[tokens]) {
            tokens++;
        }
        return tokens;
    }

    private static String end(String text) {
        return text.substring(Math.max(0, text.length() - 40));
    }
}
