package io.peftj.djl.serve;

/**
 * Gets texts while they are written. Called on the thread that asked for them, between tokens; what it throws ends the generation, and so does interrupting
 * the thread.
 */
@FunctionalInterface
public interface TextListener {
    /** Listens to nothing. */
    TextListener NONE = (request, piece) -> {};

    /**
     * A text goes on.
     *
     * @param request the number of the request
     * @param piece whole characters, at least one; all pieces of a request, one after another, are its completion's text
     */
    void text(int request, String piece);

    /** A text is whole; others go on. */
    default void done(int request, Completion completion) {}
}
