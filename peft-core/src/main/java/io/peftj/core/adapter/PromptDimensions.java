package io.peftj.core.adapter;

import com.google.gson.JsonObject;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.io.ConfigReader;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The sizes of the model that a prompt is for, which PEFT's files of all prompt-like methods have to say.
 *
 * @param layers number of layers
 * @param heads heads of a layer: those of queries, or for prefixes those of keys and values
 * @param tokenDim width of what stands for a virtual token: the model's, or for prefixes that of a layer's keys
 */
public record PromptDimensions(int layers, int heads, int tokenDim) {
    private static final String LAYERS = "num_layers";
    private static final String HEADS = "num_attention_heads";
    private static final String TOKEN_DIM = "token_dim";
    private static final String SUBMODULES = "num_transformer_submodules";

    /** The keys that {@link #read} understands. */
    public static final Set<String> KEYS = Set.of(LAYERS, HEADS, TOKEN_DIM, SUBMODULES);

    /** The sizes that a prompt of embeddings has on a model. */
    public static PromptDimensions ofEmbeddings(BackboneSpec spec) {
        return new PromptDimensions(spec.layers(), spec.heads(), spec.width());
    }

    /**
     * Reads the sizes.
     *
     * @return null unless all are there
     * @throws InvalidConfigException if the prompt is for an encoder-decoder model
     */
    public static @Nullable PromptDimensions read(ConfigReader reader) {
        int submodules = reader.optionalInt(SUBMODULES, 1);
        if (submodules != 1) {
            throw new InvalidConfigException(SUBMODULES + ": expected 1, found " + submodules
                    + "; prompts and prefixes of encoder-decoder models are not implemented");
        }
        return reader.has(LAYERS) && reader.has(HEADS) && reader.has(TOKEN_DIM)
                ? new PromptDimensions(
                        reader.requiredInt(LAYERS), reader.requiredInt(HEADS), reader.requiredInt(TOKEN_DIM))
                : null;
    }

    /** Writes the sizes, or nulls. */
    public static void write(JsonObject json, @Nullable PromptDimensions dimensions) {
        json.addProperty(LAYERS, dimensions == null ? null : dimensions.layers());
        json.addProperty(HEADS, dimensions == null ? null : dimensions.heads());
        json.addProperty(TOKEN_DIM, dimensions == null ? null : dimensions.tokenDim());
        json.addProperty(SUBMODULES, 1);
    }

    /**
     * Checks what a configuration says against a model.
     *
     * @param what what it is for, such as "prefix"
     * @param said the configuration's sizes, or null
     * @return these sizes, which are the model's
     * @throws InvalidConfigException if they differ
     */
    public PromptDimensions agreeing(String what, BackboneSpec spec, @Nullable PromptDimensions said) {
        if (said != null && !said.equals(this)) {
            throw new InvalidConfigException("the " + what + " is for a model with " + said + ", but "
                    + spec.architecture() + " has " + this + "; use the model it was trained on");
        }
        return this;
    }

    @Override
    public String toString() {
        return LAYERS + " " + layers + ", " + HEADS + " " + heads + ", " + TOKEN_DIM + " " + tokenDim;
    }
}
