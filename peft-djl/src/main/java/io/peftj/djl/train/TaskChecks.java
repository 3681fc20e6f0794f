package io.peftj.djl.train;

import io.peftj.core.InvalidConfigException;
import org.jspecify.annotations.Nullable;

/** Checks of what tasks are told. */
final class TaskChecks {
    private TaskChecks() {}

    static void checkLength(@Nullable Integer tokens) {
        if (tokens != null && tokens < 2) {
            throw new InvalidConfigException(
                    "the length of rows: expected at least 2 tokens, found " + tokens + "; 64 to 512 are usual");
        }
    }

    static void checkSmoothing(double share) {
        if (!(share >= 0 && share < 1)) {
            throw new InvalidConfigException(
                    "the label smoothing: expected 0 or more and below 1, found " + share + "; 0.1 is usual");
        }
    }
}
