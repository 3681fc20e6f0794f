package io.peftj.djl.train;

import io.peftj.core.PeftException;

/** A loss or gradient that is infinite or not a number; the parameters are as they were before the step. */
public class NonFiniteLossException extends PeftException {
    private static final long serialVersionUID = 1L;

    /** Makes the error with its whole message. */
    public NonFiniteLossException(String message) {
        super(message);
    }
}
