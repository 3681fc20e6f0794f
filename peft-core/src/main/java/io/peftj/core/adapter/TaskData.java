package io.peftj.core.adapter;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an application needs besides parameters to use an adapter as it was trained.
 *
 * @param labels class names in the order of the logits; empty where there are none
 * @param promptTemplate how a request becomes a prompt; null for none
 * @param maxLength tokens that training rows were cut to; null for the model's limit
 * @param pooling how rows are pooled; null for the architecture's own way
 * @param tokenizerFingerprint tells tokenizers apart; null if there was none
 */
public record TaskData(
        List<String> labels,
        @Nullable String promptTemplate,
        @Nullable Integer maxLength,
        @Nullable Pooling pooling,
        @Nullable String tokenizerFingerprint) {
    /** No task data: what a file written by PEFT holds. */
    public static final TaskData NONE = new TaskData(List.of(), null, null, null, null);

    /** Keeps a copy. */
    public TaskData {
        labels = List.copyOf(labels);
    }
}
