package io.peftj.djl.train;

import io.peftj.core.adapter.Pooling;
import java.util.List;
import java.util.Map;

/** The tasks that adapters are trained for. */
public final class Tasks {
    private Tasks() {}

    /**
     * Tells which class a text belongs to.
     *
     * @param labels the classes' names, in the order of the logits
     */
    public static ClassificationTask classification(List<String> labels) {
        return new ClassificationTask(labels, null, null, null, 0, Map.of());
    }

    /** Brings the vectors of texts that belong together close to each other: means over tokens, cosines times 20. */
    public static EmbeddingTask embedding() {
        return new EmbeddingTask(null, Pooling.MEAN, null, 20, List.of(1, 5, 10));
    }

    /** Teaches a language model to answer prompts; only the answers are learnt. */
    public static AnswerTask answers() {
        return new AnswerTask(null, null, null, 0);
    }

    /** Teaches a chat model the assistant's part of conversations, put into text by its own chat template. */
    public static ChatTask chat() {
        return new ChatTask(null, null, 0);
    }

    /**
     * Teaches a language model to continue texts.
     *
     * @param window the most tokens of a row: longer texts are cut into as many rows as they need
     */
    public static TextTask text(int window) {
        return new TextTask(window, 0, false);
    }
}
