package io.peftj.core.site;

/** A half of a transformer's layer, which adds its output to the residual stream. */
public enum Sublayer {
    /** Attention, to the output layer that mixes the heads. */
    ATTENTION,
    /** The feed-forward network, to the layer that narrows again. */
    FEED_FORWARD
}
