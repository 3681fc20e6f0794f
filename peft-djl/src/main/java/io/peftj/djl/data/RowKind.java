package io.peftj.djl.data;

import io.peftj.core.InvalidFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** What the rows of a file are, told by the names of its columns. */
public enum RowKind {
    /** Texts with the names of their classes. */
    LABELLED("text", "label"),
    /** Prompts with what should follow them. */
    ANSWERED("prompt", "answer"),
    /** Texts that belong together. */
    PAIRED("anchor", "positive"),
    /** Conversations, as lists of messages. */
    CONVERSATION("messages"),
    /** Texts to continue. */
    PLAIN("text");

    @SuppressWarnings("ImmutableEnumChecker") // List.of makes a constant
    private final List<String> columns;

    RowKind(String... columns) {
        this.columns = List.of(columns);
    }

    /**
     * The kind of a file's first row.
     *
     * @throws InvalidFileException if the file is missing, damaged or empty, or the columns are none that are known
     */
    public static RowKind of(Path file) {
        Set<String> found = TextFiles.columns(file);
        return Arrays.stream(values())
                .filter(kind -> found.containsAll(kind.columns))
                .findFirst()
                .orElseThrow(() -> new InvalidFileException(file.getFileName() + ": expected the columns "
                        + Arrays.stream(values())
                                .map(kind -> String.join(" and ", kind.columns))
                                .collect(Collectors.joining(", or "))
                        + ", found " + found + "; rename the columns"));
    }
}
