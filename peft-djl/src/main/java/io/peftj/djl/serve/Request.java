package io.peftj.djl.serve;

import org.jspecify.annotations.Nullable;

/**
 * A text and the adapter it is for.
 *
 * @param text what is classified or continued
 * @param adapter a name in the registry; null for the base model alone
 */
public record Request(String text, @Nullable String adapter) {
    /** A request to the base model alone. */
    public static Request of(String text) {
        return new Request(text, null);
    }

    /** The same request to an adapter. */
    public Request with(String name) {
        return new Request(text, name);
    }
}
