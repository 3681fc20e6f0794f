package io.peftj.djl.serve;

import io.peftj.core.PeftException;

/** A request named an adapter that the registry does not hold; the message lists those it holds. */
public class UnknownAdapterException extends PeftException {
    private static final long serialVersionUID = 1L;

    /** Makes the error with its whole message. */
    public UnknownAdapterException(String message) {
        super(message);
    }
}
