package io.peftj.methods.ia3;

import io.peftj.core.InvalidConfigException;
import java.util.List;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * Which targets have their input scaled rather than their output, as PEFT's feedforward_modules.
 *
 * @param names what a module's name ends in, with or without a dot before it; may be empty
 * @param regex a regular expression for whole names, used instead of names; null for none
 */
public record FeedForward(List<String> names, @Nullable String regex) {
    /**
     * Checks the expression.
     *
     * @throws InvalidConfigException if it is none
     */
    public FeedForward {
        names = List.copyOf(names);
        if (regex != null) {
            try {
                Pattern.compile(regex);
            } catch (PatternSyntaxException e) {
                throw new InvalidConfigException(
                        "feedforward_modules is the string \"" + regex + "\", which is no regular expression: "
                                + e.getDescription() + "; give a list of names, or an expression for whole names",
                        e);
            }
        }
    }

    /** No input is scaled. */
    public static FeedForward none() {
        return of();
    }

    /** By ends of names. */
    public static FeedForward of(String... names) {
        return new FeedForward(List.of(names), null);
    }

    /** By a regular expression for whole names. */
    public static FeedForward matching(String regex) {
        return new FeedForward(List.of(), regex);
    }

    /** Whether a module of this name is one. */
    boolean matches(String module) {
        return regex == null ? names.stream().anyMatch(module::endsWith) : Pattern.matches(regex, module);
    }
}
