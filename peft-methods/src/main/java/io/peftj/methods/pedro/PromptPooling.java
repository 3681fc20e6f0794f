package io.peftj.methods.pedro;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** How the states of a prompt's tokens become one. */
public enum PromptPooling {
    /** The last token's. */
    LAST,
    /** The first token's. */
    FIRST,
    /** The mean of all. */
    MEAN,
    /** The greatest of all, each element for itself. */
    MAX,
    /** The mean weighted by softmax(H·w), with a trained w. */
    ATTENTION;

    /** The name in files, such as "last". */
    public String key() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The way of a name; empty if there is none. */
    public static Optional<PromptPooling> named(String key) {
        return Arrays.stream(values())
                .filter(pooling -> pooling.key().equals(key))
                .findFirst();
    }
}
