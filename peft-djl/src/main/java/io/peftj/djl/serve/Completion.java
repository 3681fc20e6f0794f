package io.peftj.djl.serve;

import java.util.List;

/**
 * What a model wrote.
 *
 * @param text without the prompt, special tokens and what ended it
 * @param tokens the ids of its tokens, without the end token; those of a stop text are among them
 * @param ended whether it ended by a token or a text that ends it; otherwise it was cut at the most tokens
 */
public record Completion(String text, List<Integer> tokens, boolean ended) {
    /** Keeps a copy. */
    public Completion {
        tokens = List.copyOf(tokens);
    }
}
