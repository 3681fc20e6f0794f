package io.peftj.djl.serve;

import org.jspecify.annotations.Nullable;

/**
 * A text and the adapter it is for.
 *
 * @param text what is classified, embedded or continued
 * @param adapter a name in the registry; null for the base model alone
 * @param whole whether the text is a prompt as it stands, such as a conversation put into text by the model's chat template; else it goes into the template
 *     that the adapter was trained with
 * @param settings how it is continued; null for the generator's own way
 */
public record Request(
        String text,
        @Nullable String adapter,
        boolean whole,
        @Nullable GenerationSettings settings) {
    /** A request to the base model alone. */
    public static Request of(String text) {
        return new Request(text, null, false, null);
    }

    /** A request to continue a prompt as it stands. */
    public static Request whole(String prompt) {
        return new Request(prompt, null, true, null);
    }

    /** The same request to an adapter; null for the base model alone. */
    public Request with(@Nullable String name) {
        return new Request(text, name, whole, settings);
    }

    /** The same request, continued in a way of its own. */
    public Request withSettings(GenerationSettings own) {
        return new Request(text, adapter, whole, own);
    }
}
