package io.peftj.core;

/**
 * The root of every error this library raises on purpose: bad files, bad configurations, failed training.
 *
 * <p>Every message says what was wrong, what was expected, what was found and what to do about it.
 */
public class PeftException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Makes the error with its whole message. */
    public PeftException(String message) {
        super(message);
    }

    /** Makes the error with its whole message and the fault behind it. */
    public PeftException(String message, Throwable cause) {
        super(message, cause);
    }
}
