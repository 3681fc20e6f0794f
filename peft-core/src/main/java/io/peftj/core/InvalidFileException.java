package io.peftj.core;

/**
 * A file that cannot be trusted or understood: damaged, hostile, or of a kind that is not read.
 */
public class InvalidFileException extends PeftException {
    private static final long serialVersionUID = 1L;

    /** Makes the error with its whole message. */
    public InvalidFileException(String message) {
        super(message);
    }

    /** Makes the error with its whole message and the fault behind it. */
    public InvalidFileException(String message, Throwable cause) {
        super(message, cause);
    }
}
