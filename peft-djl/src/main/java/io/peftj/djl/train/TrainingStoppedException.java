package io.peftj.djl.train;

import io.peftj.core.PeftException;
import io.peftj.core.adapter.Adapter;

/** A loss or gradient that is not finite ended the training; what was learnt before is kept. */
public class TrainingStoppedException extends PeftException {
    private static final long serialVersionUID = 1L;

    private final transient Adapter lastGood;

    /** Makes the error with its whole message. */
    public TrainingStoppedException(String message, Adapter lastGood) {
        super(message);
        this.lastGood = lastGood;
    }

    /** Makes the error with its whole message and the fault behind it. */
    public TrainingStoppedException(String message, Adapter lastGood, Throwable cause) {
        super(message, cause);
        this.lastGood = lastGood;
    }

    /** The adapter as it was before the step that failed, or if it was an evaluation, the best adapter before. */
    public Adapter lastGood() {
        return lastGood;
    }
}
