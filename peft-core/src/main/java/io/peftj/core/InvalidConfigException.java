package io.peftj.core;

/**
 * A configuration that contradicts itself or the model it is meant for.
 */
public class InvalidConfigException extends PeftException {
    private static final long serialVersionUID = 1L;

    /** Makes the error with its whole message. */
    public InvalidConfigException(String message) {
        super(message);
    }

    /** Makes the error with its whole message and the fault behind it. */
    public InvalidConfigException(String message, Throwable cause) {
        super(message, cause);
    }
}
