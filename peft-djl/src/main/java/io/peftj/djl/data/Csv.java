package io.peftj.djl.data;

import io.peftj.core.InvalidFileException;
import java.util.ArrayList;
import java.util.List;

/**
 * Comma-separated values as RFC 4180 has them, read strictly: a field in quotes may hold commas, line ends and doubled quotes, and nothing follows its closing
 * quote. Lines end in LF, CRLF or CR; empty ones are left out. A quote inside a field without quotes stands for itself.
 */
final class Csv {
    private final String text;
    private final String name;
    private final List<List<String>> records = new ArrayList<>();
    private int at;

    private Csv(String text, String name) {
        this.text = text;
        this.name = name;
    }

    /**
     * The records, the first line's included.
     *
     * @param name the file's, for messages
     * @throws InvalidFileException if a quote is not closed, or something follows a closing one
     */
    static List<List<String>> parse(String text, String name) {
        Csv csv = new Csv(text, name);
        while (csv.at < text.length()) {
            if (csv.isLineEnd()) {
                csv.skipLineEnd();
            } else {
                csv.records.add(csv.record());
            }
        }
        return csv.records;
    }

    private List<String> record() {
        List<String> fields = new ArrayList<>();
        fields.add(field());
        while (at < text.length() && text.charAt(at) == ',') {
            at++;
            fields.add(field());
        }
        skipLineEnd();
        return fields;
    }

    private String field() {
        if (at < text.length() && text.charAt(at) == '"') {
            return quoted();
        }
        int begin = at;
        while (at < text.length() && text.charAt(at) != ',' && !isLineEnd()) {
            at++;
        }
        return text.substring(begin, at);
    }

    private String quoted() {
        StringBuilder field = new StringBuilder();
        int from = at + 1;
        while (true) {
            int quote = text.indexOf('"', from);
            if (quote < 0) {
                throw wrong("expected a quote that closes the field \"" + beginning(text.substring(at))
                        + "\", found the end of the file; close it, and double quotes inside fields");
            }
            field.append(text, from, quote);
            from = quote + 1;
            if (from < text.length() && text.charAt(from) == '"') {
                field.append('"');
                from++;
            } else {
                at = from;
                if (at < text.length() && text.charAt(at) != ',' && !isLineEnd()) {
                    throw wrong("expected a comma or the end of the line after the quote that closes \""
                            + beginning(field.toString()) + "\", found \"" + text.charAt(at)
                            + "\"; double quotes inside fields");
                }
                return field.toString();
            }
        }
    }

    private boolean isLineEnd() {
        return text.charAt(at) == '\n' || text.charAt(at) == '\r';
    }

    private void skipLineEnd() {
        if (text.startsWith("\r\n", at)) {
            at += 2;
        } else if (at < text.length()) {
            at++;
        }
    }

    /** Rows are counted without the line of names. */
    private InvalidFileException wrong(String message) {
        String place = records.isEmpty() ? ", the columns' names: " : ", row " + records.size() + ": ";
        return new InvalidFileException(name + place + message);
    }

    private static String beginning(String field) {
        return field.length() <= 20 ? field : field.substring(0, 20) + "…";
    }
}
