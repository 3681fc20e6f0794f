package io.peftj.methods.prefix;

import io.peftj.core.adapter.BackboneSpec;

/**
 * The sizes of the model a prefix is for, which its files have to say.
 *
 * @param layers number of layers
 * @param keyValueHeads heads of keys and values in a layer
 * @param tokenDim width of a layer's keys: key and value heads times head dim
 */
public record PrefixDimensions(int layers, int keyValueHeads, int tokenDim) {
    /** A model's sizes. */
    static PrefixDimensions of(BackboneSpec spec) {
        return new PrefixDimensions(spec.layers(), spec.keyValueHeads(), spec.keyValueWidth());
    }

    @Override
    public String toString() {
        return "num_layers " + layers + ", num_attention_heads " + keyValueHeads + ", token_dim " + tokenDim;
    }
}
