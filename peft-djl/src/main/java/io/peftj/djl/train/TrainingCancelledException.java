package io.peftj.djl.train;

import io.peftj.core.adapter.Adapter;
import java.util.concurrent.CancellationException;

/** Training was cancelled by its caller; what was learnt before is kept. */
public class TrainingCancelledException extends CancellationException {
    private static final long serialVersionUID = 1L;

    private final transient Adapter lastGood;

    /** Makes the error with its whole message. */
    public TrainingCancelledException(String message, Adapter lastGood) {
        super(message);
        this.lastGood = lastGood;
    }

    /** The adapter after the last whole step. */
    public Adapter lastGood() {
        return lastGood;
    }
}
