package io.peftj.djl.train;

import io.peftj.djl.chat.Message;
import java.util.List;

/**
 * A conversation from which a language model should learn its part.
 *
 * @param messages in their order; those of the role "assistant" are learnt
 */
public record Conversation(List<Message> messages) {
    /** Keeps a copy. */
    public Conversation {
        messages = List.copyOf(messages);
    }

    /** A conversation of some messages. */
    public static Conversation of(Message... messages) {
        return new Conversation(List.of(messages));
    }
}
