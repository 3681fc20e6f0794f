package io.peftj.examples.cli.data;

import com.google.gson.JsonElement;
import io.peftj.core.InvalidFileException;
import io.peftj.core.io.Json;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/** Files with one text or a few in each row, in UTF-8. */
public final class TextFiles {
    /** As RFC 4180 has it, with the columns' names in the first line; lines without a single field are left out. */
    private static final CSVFormat CSV = CSVFormat.RFC4180
            .builder()
            .setHeader()
            .setSkipHeaderRecord(true)
            .setIgnoreEmptyLines(true)
            .get();

    /** What some programs begin a UTF-8 file with. */
    private static final String BYTE_ORDER_MARK = "\uFEFF";

    private TextFiles() {}

    /**
     * Reads a file by its name's end: .csv, or .jsonl for a JSON object a line.
     *
     * @throws InvalidFileException if it is missing, damaged or empty, or its name ends in something else
     */
    public static List<TextRow> read(Path file) {
        String name = file.getFileName().toString();
        if (!name.endsWith(".csv") && !name.endsWith(".jsonl")) {
            throw new InvalidFileException(
                    name + ": expected a name that ends in .csv or .jsonl; rename the file to what it is");
        }
        List<TextRow> rows = name.endsWith(".csv") ? csv(file) : jsonLines(file);
        if (rows.isEmpty()) {
            throw new InvalidFileException(name + ": expected at least one row, found none; add rows");
        }
        return rows;
    }

    /**
     * Reads a CSV file whose first line names the columns.
     *
     * @throws InvalidFileException if it is missing, or no such file
     */
    public static List<TextRow> csv(Path file) {
        try (Reader reader = Files.newBufferedReader(file);
                CSVParser parser =
                        CSVParser.builder().setReader(reader).setFormat(CSV).get()) {
            List<TextRow> rows = new ArrayList<>();
            for (CSVRecord fields : parser) {
                rows.add(row(file, parser.getHeaderNames(), fields));
            }
            return rows;
        } catch (IOException | UncheckedIOException e) {
            throw unreadable(file, e);
        } catch (IllegalArgumentException e) {
            throw new InvalidFileException(
                    file.getFileName() + ": expected a first line with the names of the columns: " + e.getMessage(), e);
        }
    }

    private static TextRow row(Path file, List<String> names, CSVRecord fields) {
        String place = file.getFileName() + ", row " + fields.getRecordNumber();
        if (fields.size() != names.size()) {
            throw new InvalidFileException(place + ": expected " + names.size() + " fields for the columns " + names
                    + ", found " + fields.size() + "; put quotes around fields with commas");
        }
        Map<String, String> columns = new LinkedHashMap<>();
        for (int i = 0; i < names.size(); i++) {
            columns.put(names.get(i).replace(BYTE_ORDER_MARK, ""), fields.get(i));
        }
        return new TextRow(place, columns);
    }

    /**
     * Reads a file with a JSON object in every line, whose values are texts or numbers.
     *
     * @throws InvalidFileException if it is missing, or no such file
     */
    public static List<TextRow> jsonLines(Path file) {
        List<TextRow> rows = new ArrayList<>();
        int line = 0;
        try {
            for (String text : Files.readAllLines(file)) {
                line++;
                if (!text.isBlank()) {
                    rows.add(jsonRow(text, file.getFileName() + ", line " + line));
                }
            }
            return rows;
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    /** A row from one line of JSON; values that are neither texts nor numbers nor true or false are left out. */
    static TextRow jsonRow(String json, String place) {
        Map<String, String> columns = new LinkedHashMap<>();
        for (Map.Entry<String, JsonElement> entry : Json.parse(json, place).entrySet()) {
            if (entry.getValue().isJsonPrimitive()) {
                columns.put(entry.getKey(), entry.getValue().getAsString());
            }
        }
        return new TextRow(place, columns);
    }

    static InvalidFileException unreadable(Path file, Exception e) {
        if (e instanceof NoSuchFileException) {
            return new InvalidFileException(file + " does not exist; check the path", e);
        }
        String found = e instanceof CharacterCodingException ? "bytes that are not UTF-8" : e.getMessage();
        return new InvalidFileException(file.getFileName() + " could not be read: " + found, e);
    }
}
