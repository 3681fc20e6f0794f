package io.peftj.core.site;

/** What a matrix does in a transformer, whatever its architecture calls it. */
public enum Role {
    /** Makes the attention's queries. */
    QUERY,
    /** Makes the attention's keys. */
    KEY,
    /** Makes the attention's values. */
    VALUE,
    /** Makes queries, keys and values at once: its outputs are these, one after another. */
    QUERY_KEY_VALUE,
    /** Mixes the heads' outputs. */
    ATTENTION_OUTPUT,
    /** The gate of a gated feed-forward network. */
    GATE,
    /** Widens in the feed-forward network. */
    UP,
    /** Narrows again in the feed-forward network. */
    DOWN,
    /** Token embeddings, [vocabulary, width]. */
    EMBEDDING,
    /** Makes next-token logits of hidden states. */
    OUTPUT_EMBEDDING,
    /** The dense layer over the first token of BERT's family. */
    POOLER,
    /** Makes class logits. */
    HEAD
}
