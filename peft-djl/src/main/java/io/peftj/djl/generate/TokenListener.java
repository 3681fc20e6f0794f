package io.peftj.djl.generate;

/** Sees rows' tokens as they come. Called on the thread that asked for the texts; what it throws ends the generation. */
public interface TokenListener {
    /** Lets every row go on. */
    TokenListener NONE = (row, token) -> true;

    /**
     * A row has one more token, which is no end token.
     *
     * @param row the prompt's number
     * @return whether the row is to go on; if not, it counts as ended
     */
    boolean accept(int row, int token);

    /** A row is done; the others go on. */
    default void done(int row, Continuation continuation) {}
}
