package io.peftj.djl.chat;

/**
 * One turn of a conversation.
 *
 * @param role who speaks: "system", "user" or "assistant", or another that the model's template knows
 * @param content what is said
 */
public record Message(String role, String content) {
    /** What the model is to be like. */
    public static Message system(String content) {
        return new Message("system", content);
    }

    /** What is asked of the model. */
    public static Message user(String content) {
        return new Message("user", content);
    }

    /** What the model said. */
    public static Message assistant(String content) {
        return new Message("assistant", content);
    }
}
