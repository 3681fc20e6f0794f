package io.peftj.djl.data;

import io.peftj.core.InvalidFileException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One row of a file: texts by the names of their columns.
 *
 * @param place where the row stands, for messages
 */
public record TextRow(String place, Map<String, String> columns) {
    /** Keeps a copy in order. */
    public TextRow {
        columns = Collections.unmodifiableMap(new LinkedHashMap<>(columns));
    }

    /** Whether the row has all of some columns. */
    public boolean has(String... names) {
        for (String name : names) {
            if (!columns.containsKey(name)) {
                return false;
            }
        }
        return true;
    }

    /**
     * The text of a column.
     *
     * @throws InvalidFileException if the row has no such column
     */
    public String get(String name) {
        @Nullable String text = columns.get(name);
        if (text == null) {
            throw new InvalidFileException(place + ": expected a column \"" + name + "\", found " + columns.keySet()
                    + "; name the columns in the first line of a CSV file, or as keys of every JSON line");
        }
        return text;
    }
}
