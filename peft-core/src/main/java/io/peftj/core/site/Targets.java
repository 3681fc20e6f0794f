package io.peftj.core.site;

import io.peftj.core.InvalidConfigException;
import java.util.List;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/** Which sites an adapter acts on, matched against module names as Hugging Face PEFT matches them. */
public sealed interface Targets {
    /** The key of targets in PEFT's files. */
    String TARGETS = "target_modules";

    /** Sites whose full name equals an entry or ends in "." and the entry. */
    record Names(List<String> names) implements Targets {
        /** Keeps a copy. */
        public Names {
            names = List.copyOf(names);
            if (names.isEmpty()) {
                throw new InvalidConfigException("target_modules is an empty list; name at least one module");
            }
        }
    }

    /** Sites whose whole name matches a regular expression. */
    record Regex(Pattern pattern) implements Targets {
        /** Patterns themselves have no equality. */
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Regex regex && pattern.pattern().equals(regex.pattern.pattern());
        }

        @Override
        public int hashCode() {
            return pattern.pattern().hashCode();
        }
    }

    /** Every linear layer but the output embedding and the classification head. */
    record AllLinear() implements Targets {}

    /** Entries as PEFT's list of target_modules. */
    static Targets names(String... names) {
        return new Names(List.of(names));
    }

    /** Entries as PEFT's list of target_modules. */
    static Targets names(List<String> names) {
        return new Names(names);
    }

    /** A string as PEFT's target_modules: "all-linear" or a regular expression. */
    static Targets string(String text) {
        return string(TARGETS, text);
    }

    /**
     * A string as in PEFT's files.
     *
     * @param key where it stands, for messages
     * @throws InvalidConfigException if it is neither a regular expression nor, of targets, "all-linear"
     */
    static Targets string(String key, String text) {
        if (text.equals("all-linear") && key.equals(TARGETS)) {
            return new AllLinear();
        }
        try {
            return new Regex(Pattern.compile(text));
        } catch (PatternSyntaxException e) {
            throw new InvalidConfigException(
                    key + " is the string \"" + text + "\", which is no regular expression: "
                            + e.getDescription()
                            + "; give a list of names" + (key.equals(TARGETS) ? ", \"all-linear\"," : "")
                            + " or a regular expression for whole names",
                    e);
        }
    }

    /** Whether a module name is an entry or ends in "." and the entry. */
    static boolean matches(String moduleName, String entry) {
        return moduleName.equals(entry) || moduleName.endsWith("." + entry);
    }

    /** Whether PEFT's modules_to_save means a module by an entry: its name, or that of a module it lies in, ends in the entry, with or without a dot before. */
    static boolean isInside(String moduleName, String entry) {
        return (moduleName + ".").contains(entry + ".");
    }
}
