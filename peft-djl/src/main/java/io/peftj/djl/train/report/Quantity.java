package io.peftj.djl.train.report;

/** What is drawn of each step. */
enum Quantity {
    /** Mean negative log-likelihood before the step. */
    LOSS,
    /** Of the step. */
    LEARNING_RATE,
    /** Before clipping. */
    GRADIENT_NORM,
    /** Tokens of the step by its duration; a mean over several is that of all their tokens by all their time. */
    TOKENS_PER_SECOND,
    /** Alive in the backend after the step. */
    NATIVE_BYTES,
    /** What the operating system counts for the process. */
    RESIDENT_BYTES
}
