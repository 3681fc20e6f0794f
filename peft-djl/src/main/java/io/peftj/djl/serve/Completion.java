package io.peftj.djl.serve;

import io.peftj.djl.backbone.Tokenizer;
import io.peftj.djl.generate.Continuation;
import java.util.List;

/**
 * What a model wrote.
 *
 * @param text without the prompt and special tokens
 * @param tokens the ids of its tokens, without the end token
 * @param ended whether the model ended it; otherwise it was cut at the most tokens
 */
public record Completion(String text, List<Integer> tokens, boolean ended) {
    /** Keeps a copy. */
    public Completion {
        tokens = List.copyOf(tokens);
    }

    static Completion of(Tokenizer tokenizer, Continuation continuation) {
        int[] ids = continuation.tokens().stream().mapToInt(Integer::intValue).toArray();
        return new Completion(tokenizer.decode(ids), continuation.tokens(), continuation.ended());
    }
}
