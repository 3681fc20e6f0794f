package io.peftj.djl.serve;

import io.peftj.core.InvalidConfigException;
import io.peftj.djl.generate.Sampling;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How a text is continued and where it ends. It always ends at the model's end tokens.
 *
 * @param sampling how tokens are chosen
 * @param maxTokens the most tokens that follow, for which the prompt must leave room; null for the generator's usual number, or fewer where the model has
 *     no more positions
 * @param stopTokens tokens that end it too; they are no part of it
 * @param stopTexts texts that end it where they first occur in what follows the prompt; they are no part of it
 */
public record GenerationSettings(
        Sampling sampling, @Nullable Integer maxTokens, Set<Integer> stopTokens, List<String> stopTexts) {
    /** The likeliest tokens, until the model ends. */
    public static final GenerationSettings USUAL = new GenerationSettings(Sampling.GREEDY, null, Set.of(), List.of());

    /**
     * Keeps copies.
     *
     * @throws InvalidConfigException if a stop text is empty
     * @throws IllegalArgumentException if no token may follow
     */
    public GenerationSettings {
        if (maxTokens != null && maxTokens < 1) {
            throw new IllegalArgumentException("tokens of a text: expected at least 1, found " + maxTokens);
        }
        stopTokens = Set.copyOf(stopTokens);
        stopTexts = List.copyOf(stopTexts);
        if (stopTexts.contains("")) {
            throw new InvalidConfigException("stop texts: expected texts of one character or more, found an empty one");
        }
    }

    /** The same with tokens chosen in another way. */
    public GenerationSettings withSampling(Sampling other) {
        return new GenerationSettings(other, maxTokens, stopTokens, stopTexts);
    }

    /** The same with at most so many tokens. */
    public GenerationSettings withMaxTokens(int tokens) {
        return new GenerationSettings(sampling, tokens, stopTokens, stopTexts);
    }

    /** The same with these tokens ending it. */
    public GenerationSettings withStopTokens(Set<Integer> tokens) {
        return new GenerationSettings(sampling, maxTokens, tokens, stopTexts);
    }

    /** The same with these texts ending it. */
    public GenerationSettings withStopTexts(List<String> texts) {
        return new GenerationSettings(sampling, maxTokens, stopTokens, texts);
    }
}
