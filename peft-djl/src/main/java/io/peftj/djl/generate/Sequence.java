package io.peftj.djl.generate;

import java.util.Arrays;
import java.util.Set;

/** A prompt and what follows it so far. */
final class Sequence {
    private final Prompt prompt;
    private final int number;
    private final Set<Integer> ends;
    private int[] ids;
    private int seen;
    private boolean ended;

    /**
     * A sequence without anything new.
     *
     * @param number the prompt's
     * @param ends tokens that end it besides the prompt's own
     */
    Sequence(Prompt prompt, int number, Set<Integer> ends) {
        this.prompt = prompt;
        this.number = number;
        this.ends = ends;
        this.ids = prompt.ids();
    }

    Prompt prompt() {
        return prompt;
    }

    int number() {
        return number;
    }

    /** The prompt and what followed, as a copy. */
    int[] ids() {
        return ids.clone();
    }

    /** Tokens that no pass has seen yet: the prompt at first, the newest token then. */
    int[] unseen() {
        return Arrays.copyOfRange(ids, seen, ids.length);
    }

    /** Tokens that passes have seen. */
    int seen() {
        return seen;
    }

    /** Notes that a pass has seen all tokens and gave the next one, and tells the listener. */
    void add(int token, TokenListener listener) {
        seen = ids.length;
        ended = ends.contains(token) || prompt.ends().contains(token);
        if (!ended) {
            ids = Arrays.copyOf(ids, ids.length + 1);
            ids[ids.length - 1] = token;
            ended = !listener.accept(number, token);
        }
        if (isDone()) {
            listener.done(number, continuation());
        }
    }

    boolean isDone() {
        return ended || ids.length - prompt.length() == prompt.maxTokens();
    }

    Continuation continuation() {
        return new Continuation(
                Arrays.stream(ids, prompt.length(), ids.length).boxed().toList(), ended);
    }
}
