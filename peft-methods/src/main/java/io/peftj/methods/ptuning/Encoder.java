package io.peftj.methods.ptuning;

/** The networks that a prompt may be trained through. */
public enum Encoder {
    /** Linear, ReLU, Linear, ReLU, Linear. */
    MLP,
    /** A bidirectional LSTM before two linear layers: what it made is read from files, but training it is not implemented. */
    LSTM
}
