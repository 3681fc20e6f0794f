package io.peftj.methods.prefix;

import io.peftj.core.InvalidConfigException;

/** How a prefix starts. Files keep {@link Zero} alone apart, since once trained a prefix is what it is. */
public sealed interface PrefixInit {
    /** From the standard normal distribution. */
    record Normal() implements PrefixInit {}

    /** At zero: of queries' attention the prefix takes its share and gives nothing back. */
    record Zero() implements PrefixInit {}

    /**
     * As the frozen model's own keys and values of a text, its tokens repeated or cut to the prefix's length: what the paper found best.
     *
     * @param text a few words about the task
     */
    record Text(String text) implements PrefixInit {
        /** Refuses an empty text. */
        public Text {
            if (text.isBlank()) {
                throw new InvalidConfigException(
                        "the prefix's text is empty; give a few words about the task, or start from"
                                + " the normal distribution");
            }
        }
    }

    /** From the standard normal distribution. */
    static PrefixInit normal() {
        return new Normal();
    }

    /** At zero. */
    static PrefixInit zero() {
        return new Zero();
    }

    /** As the model's keys and values of a text. */
    static PrefixInit fromText(String text) {
        return new Text(text);
    }
}
