package io.peftj.core.tensor;

/** The elementwise nonlinearities of transformers' feed-forward networks and heads. */
public enum Activation {
    /** x·Φ(x), exactly, by the error function. */
    GELU,
    /** GELU by the tanh approximation (GPT-2's gelu_new). */
    GELU_TANH,
    /** x·σ(x), also called swish. */
    SILU,
    /** max(x, 0). */
    RELU,
    TANH
}
