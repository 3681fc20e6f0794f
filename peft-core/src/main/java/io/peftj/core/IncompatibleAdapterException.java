package io.peftj.core;

/**
 * An adapter that does not belong to the base model it was to be used with.
 */
public class IncompatibleAdapterException extends PeftException {
    private static final long serialVersionUID = 1L;

    /** Makes the error with its whole message. */
    public IncompatibleAdapterException(String message) {
        super(message);
    }

    /** Makes the error with its whole message and the fault behind it. */
    public IncompatibleAdapterException(String message, Throwable cause) {
        super(message, cause);
    }
}
