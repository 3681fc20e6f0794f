package io.peftj.djl.data;

import com.google.gson.JsonObject;
import io.peftj.core.InvalidFileException;
import io.peftj.djl.train.Conversation;
import io.peftj.djl.train.LabelledText;
import io.peftj.djl.train.PromptAnswer;
import io.peftj.djl.train.TextPair;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BiFunction;

/**
 * Rows to train and to measure on, from files: .csv whose first line names the columns, or .jsonl with a JSON object a line, in UTF-8.
 *
 * <p>Whole files are held in memory. Rows from elsewhere, such as a database, go to the trainer as any {@link Iterable} or {@link java.util.stream.Stream},
 * of which no more than the token ids are kept.
 */
public final class Datasets {
    private Datasets() {}

    /**
     * Texts with the names of their classes, from the columns text and label.
     *
     * @throws InvalidFileException if the file is missing, damaged or empty, or a row lacks a column
     */
    public static List<LabelledText> labelled(Path file) {
        return labelled(file, "text", "label");
    }

    /** {@link #labelled(Path)} from columns of other names. */
    public static List<LabelledText> labelled(Path file, String text, String label) {
        return rows(file, text, label, LabelledText::new);
    }

    /**
     * Prompts with what should follow them, from the columns prompt and answer.
     *
     * @throws InvalidFileException if the file is missing, damaged or empty, or a row lacks a column
     */
    public static List<PromptAnswer> answers(Path file) {
        return answers(file, "prompt", "answer");
    }

    /** {@link #answers(Path)} from columns of other names. */
    public static List<PromptAnswer> answers(Path file, String prompt, String answer) {
        return rows(file, prompt, answer, PromptAnswer::new);
    }

    /**
     * Texts that belong together, from the columns anchor and positive.
     *
     * @throws InvalidFileException if the file is missing, damaged or empty, or a row lacks a column
     */
    public static List<TextPair> pairs(Path file) {
        return pairs(file, "anchor", "positive");
    }

    /** {@link #pairs(Path)} from columns of other names. */
    public static List<TextPair> pairs(Path file, String anchor, String positive) {
        return rows(file, anchor, positive, TextPair::new);
    }

    /**
     * Conversations from JSON lines as OpenAI's API has them: {@code {"messages": [{"role": "user", "content": "…"}, …]}}. Other keys beside
     * messages are left out.
     *
     * @throws InvalidFileException if the file is missing, damaged or empty, or a message has more than a role and a text that could change what is learnt,
     *     such as calls of tools
     */
    public static List<Conversation> conversations(Path file) {
        return Conversations.read(file);
    }

    /**
     * One conversation from a JSON object such as a line of {@link #conversations}.
     *
     * @param place where it stands, for messages
     * @throws InvalidFileException as {@link #conversations} throws it
     */
    public static Conversation conversation(JsonObject line, String place) {
        return Conversations.conversation(line, place);
    }

    /**
     * Texts to continue, from the column text.
     *
     * @throws InvalidFileException if the file is missing, damaged or empty, or a row lacks the column
     */
    public static List<String> texts(Path file) {
        return texts(file, "text");
    }

    /** {@link #texts(Path)} from a column of another name. */
    public static List<String> texts(Path file, String text) {
        return TextFiles.read(file).stream().map(row -> row.get(text)).toList();
    }

    /** The names of the rows' classes, each once, sorted. */
    public static List<String> labels(List<LabelledText> rows) {
        return rows.stream().map(LabelledText::label).distinct().sorted().toList();
    }

    private static <R> List<R> rows(Path file, String first, String second, BiFunction<String, String, R> row) {
        return TextFiles.read(file).stream()
                .map(columns -> row.apply(columns.get(first), columns.get(second)))
                .toList();
    }
}
