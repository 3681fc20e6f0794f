package io.peftj.djl.backbone;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.PeftException;
import io.peftj.core.adapter.TaskData;
import org.jspecify.annotations.Nullable;

/**
 * Makes token ids of texts the way an adapter's training did: put into its template, cut to its length. Thread-safe.
 */
public final class TextEncoder {
    /** What stands in a template for the text. */
    public static final String TEXT = "{text}";

    private static final int SHOWN = 40;

    private final Tokenizer tokenizer;
    private final @Nullable String template;
    private final int maxLength;

    private TextEncoder(Tokenizer tokenizer, @Nullable String template, int maxLength) {
        this.tokenizer = tokenizer;
        this.template = template;
        this.maxLength = maxLength;
    }

    /**
     * An encoder for a task.
     *
     * @param shift positions that an adapter's virtual tokens take
     * @throws InvalidConfigException if the task's template has no place for the text
     */
    public static TextEncoder of(Backbone base, TaskData task, int shift) {
        String template = task.promptTemplate();
        if (template != null && !template.contains(TEXT)) {
            throw new InvalidConfigException(
                    "the template \"" + template + "\" has no place for the text; write " + TEXT + " where it goes");
        }
        Integer asked = task.maxLength();
        int most = base.spec().positions() - shift;
        return new TextEncoder(base.tokenizer(), template, asked == null ? most : Math.min(asked, most));
    }

    /** The most tokens of a row. */
    public int maxLength() {
        return maxLength;
    }

    /**
     * Ids of a text with the special tokens around it; one that is too long loses its end.
     *
     * @throws PeftException if nothing is left
     */
    public int[] row(String text) {
        return some(tokenizer.encode(fill(text), maxLength), text);
    }

    /**
     * Ids of a text before what a language model continues with, whole and without special tokens other than those the template writes.
     *
     * @throws PeftException if nothing is left
     */
    public int[] prompt(String text) {
        return some(tokenizer.encodePlain(fill(text)), text);
    }

    private String fill(String text) {
        return template == null ? text : template.replace(TEXT, text);
    }

    private static int[] some(int[] ids, String text) {
        if (ids.length == 0) {
            throw new PeftException("the text \"" + beginning(text) + "\" has no tokens; leave it out");
        }
        return ids;
    }

    /** A text's beginning, for messages. */
    public static String beginning(String text) {
        return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…";
    }
}
