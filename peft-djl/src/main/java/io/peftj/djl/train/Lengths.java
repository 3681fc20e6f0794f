package io.peftj.djl.train;

import io.peftj.core.InvalidConfigException;
import org.jspecify.annotations.Nullable;

/** Checks of row lengths. */
final class Lengths {
    private Lengths() {}

    static void check(@Nullable Integer tokens) {
        if (tokens != null && tokens < 2) {
            throw new InvalidConfigException(
                    "the length of rows: expected at least 2 tokens, found " + tokens + "; 64 to 512 are usual");
        }
    }
}
