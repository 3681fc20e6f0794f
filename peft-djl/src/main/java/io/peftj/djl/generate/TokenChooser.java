package io.peftj.djl.generate;

/** Chooses a row's next token, as {@link Sampling} does. Called on the thread that asked for the text, one row after another. */
@FunctionalInterface
public interface TokenChooser {
    /**
     * The next token's id.
     *
     * @param ids the prompt and what followed so far
     * @param logits one a token of the vocabulary; the chooser's own, to be changed at will
     */
    int choose(int[] ids, float[] logits);

    /** Whether it is always the token with the greatest logit, which the backend finds without handing the others over. */
    default boolean isGreedy() {
        return false;
    }
}
