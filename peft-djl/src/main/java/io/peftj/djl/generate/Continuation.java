package io.peftj.djl.generate;

import java.util.List;

/**
 * What followed a prompt.
 *
 * @param tokens the new tokens' ids, without the end token
 * @param ended whether an end token was reached, or a listener ended it; otherwise the most tokens were
 */
public record Continuation(List<Integer> tokens, boolean ended) {
    /** Keeps a copy. */
    public Continuation {
        tokens = List.copyOf(tokens);
    }
}
