package io.peftj.djl.generate;

import io.peftj.core.PeftException;

/** Chooses a row's next token. Called on the thread that asked for the text, one row after another. */
@FunctionalInterface
public interface TokenChooser {
    /** The likeliest token; of several, the one with the lowest id. */
    TokenChooser GREEDY = (ids, logits) -> {
        int best = 0;
        for (int id = 1; id < logits.length; id++) {
            best = logits[id] > logits[best] ? id : best;
        }
        if (!Float.isFinite(logits[best])) {
            throw new PeftException("the model's greatest next-token logit is " + logits[best]
                    + "; the model or one of the row's adapters holds numbers that are not finite");
        }
        return best;
    };

    /**
     * The next token's id.
     *
     * @param ids the prompt and what followed so far
     * @param logits one a token of the vocabulary; the chooser's own, to be changed at will
     */
    int choose(int[] ids, float[] logits);
}
