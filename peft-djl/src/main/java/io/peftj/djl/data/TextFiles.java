package io.peftj.djl.data;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.peftj.core.InvalidFileException;
import io.peftj.core.io.Json;
import java.io.IOException;
import java.io.Reader;
import java.io.StringWriter;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;

/** Files with one text or a few in each row, in UTF-8: CSV whose first line names the columns, or a JSON object a line. Whole files are held in memory. */
public final class TextFiles {
    private static final String CSV = ".csv";
    private static final String JSON_LINES = ".jsonl";

    /** What some programs begin a UTF-8 file with. */
    private static final String BYTE_ORDER_MARK = "\uFEFF";

    private TextFiles() {}

    /**
     * Reads a file by its name's end: .csv, or .jsonl for a JSON object a line.
     *
     * @throws InvalidFileException if it is missing, damaged or empty, or its name ends in something else
     */
    public static List<TextRow> read(Path file) {
        return some(file, isCsv(file) ? csv(file) : jsonLines(file));
    }

    /**
     * Reads a CSV file whose first line names the columns.
     *
     * @throws InvalidFileException if it is missing, or no such file
     */
    public static List<TextRow> csv(Path file) {
        try {
            return csvRows(Files.readString(file), file.getFileName().toString());
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    /**
     * Reads CSV from elsewhere, such as a resource, to its end; the reader stays the caller's to close.
     *
     * @param name what messages call it
     * @throws InvalidFileException if it is no CSV whose first line names the columns
     */
    public static List<TextRow> csv(Reader in, String name) {
        StringWriter text = new StringWriter();
        try {
            in.transferTo(text);
        } catch (IOException e) {
            throw new InvalidFileException(name + " could not be read: " + e.getMessage(), e);
        }
        return csvRows(text.toString(), name);
    }

    private static List<TextRow> csvRows(String text, String name) {
        List<List<String>> records = Csv.parse(text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text, name);
        List<TextRow> rows = new ArrayList<>();
        for (int row = 1; row < records.size(); row++) {
            rows.add(row(records.get(0), records.get(row), name, row));
        }
        return rows;
    }

    private static TextRow row(List<String> names, List<String> fields, String file, int number) {
        String place = file + ", row " + number;
        if (new HashSet<>(names).size() < names.size()) {
            throw new InvalidFileException(
                    file + ": expected every column's name once, found " + names + "; rename the columns");
        }
        if (fields.size() != names.size()) {
            throw new InvalidFileException(place + ": expected " + names.size() + " fields for the columns " + names
                    + ", found " + fields.size() + "; put quotes around fields with commas");
        }
        Map<String, String> columns = new LinkedHashMap<>();
        for (int i = 0; i < names.size(); i++) {
            columns.put(names.get(i), fields.get(i));
        }
        return new TextRow(place, columns);
    }

    /**
     * Reads a file with a JSON object in every line, whose values are texts or numbers.
     *
     * @throws InvalidFileException if it is missing, or no such file
     */
    public static List<TextRow> jsonLines(Path file) {
        return jsonLines(file, TextFiles::row);
    }

    /** Makes something of the JSON object in each line and the line's place, for messages; empty lines are left out. */
    static <T> List<T> jsonLines(Path file, BiFunction<JsonObject, String, T> made) {
        List<T> rows = new ArrayList<>();
        int number = 0;
        try {
            for (String text : Files.readAllLines(file)) {
                number++;
                String line = number == 1 && text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text;
                if (!line.isBlank()) {
                    String place = file.getFileName() + ", line " + number;
                    rows.add(made.apply(Json.parse(line, place), place));
                }
            }
            return rows;
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    /** A row from one line of JSON; values that are neither texts nor numbers nor true or false are left out. */
    public static TextRow jsonRow(String json, String place) {
        return row(Json.parse(json, place), place);
    }

    private static TextRow row(JsonObject json, String place) {
        Map<String, String> columns = new LinkedHashMap<>();
        for (Map.Entry<String, JsonElement> entry : json.entrySet()) {
            if (entry.getValue().isJsonPrimitive()) {
                columns.put(entry.getKey(), entry.getValue().getAsString());
            }
        }
        return new TextRow(place, columns);
    }

    /** The names of a file's columns: those of a CSV file's first line, or the keys of the first JSON object, whatever their values are. */
    static Set<String> columns(Path file) {
        return isCsv(file)
                ? read(file).get(0).columns().keySet()
                : some(file, jsonLines(file, (json, place) -> json.keySet())).get(0);
    }

    static <T> List<T> some(Path file, List<T> rows) {
        if (rows.isEmpty()) {
            throw new InvalidFileException(file.getFileName() + ": expected at least one row, found none; add rows");
        }
        return rows;
    }

    private static boolean isCsv(Path file) {
        String name = file.getFileName().toString();
        if (!name.endsWith(CSV) && !name.endsWith(JSON_LINES)) {
            throw new InvalidFileException(
                    name + ": expected a name that ends in .csv or .jsonl; rename the file to what it is");
        }
        return name.endsWith(CSV);
    }

    /** The error of a file that is absent, cannot be read or is not in UTF-8. */
    public static InvalidFileException unreadable(Path file, Exception e) {
        if (e instanceof NoSuchFileException) {
            return new InvalidFileException(file + " does not exist; check the path", e);
        }
        String found = e instanceof CharacterCodingException ? "bytes that are not UTF-8" : e.getMessage();
        return new InvalidFileException(file.getFileName() + " could not be read: " + found, e);
    }
}
