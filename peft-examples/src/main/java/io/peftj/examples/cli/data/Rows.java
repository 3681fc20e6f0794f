package io.peftj.examples.cli.data;

import io.peftj.core.InvalidFileException;
import io.peftj.djl.train.LabelledText;
import io.peftj.djl.train.PromptAnswer;
import java.util.List;

/** What is learnt from rows of a file: the label of a text, or the answer to a prompt. */
public final class Rows {
    private Rows() {}

    /**
     * Whether rows have texts and labels, rather than prompts and answers.
     *
     * @throws InvalidFileException if they have neither
     */
    public static boolean areLabelled(List<TextRow> rows) {
        TextRow first = rows.get(0);
        if (first.has("text", "label") || first.has("prompt", "answer")) {
            return first.has("text", "label");
        }
        throw new InvalidFileException(first.place() + ": expected the columns text and label, or prompt and answer,"
                + " found " + first.columns().keySet() + "; rename the columns");
    }

    /** Texts with the names of their classes. */
    public static List<LabelledText> labelled(List<TextRow> rows) {
        return rows.stream()
                .map(row -> new LabelledText(row.get("text"), row.get("label")))
                .toList();
    }

    /** Prompts with what should follow them. */
    public static List<PromptAnswer> answered(List<TextRow> rows) {
        return rows.stream()
                .map(row -> new PromptAnswer(row.get("prompt"), row.get("answer")))
                .toList();
    }

    /** The classes' names, sorted. */
    public static List<String> labels(List<LabelledText> rows) {
        return rows.stream().map(LabelledText::label).distinct().sorted().toList();
    }
}
