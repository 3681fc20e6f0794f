package io.peftj.core.adapter;

/** How the states of a row's tokens become one vector. */
public enum Pooling {
    /** The first place of the row: BERT's and RoBERTa's. */
    FIRST,
    /** The last real token: decoders'. */
    LAST,
    /** The mean over the real tokens, virtual ones left out: sentence encoders'. */
    MEAN
}
