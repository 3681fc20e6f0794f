package io.peftj.benchmarks.report;

import java.util.ArrayList;
import java.util.List;

/** A table to be read on a terminal and to be put into a document. */
public final class MarkdownTable {
    private final List<List<String>> rows = new ArrayList<>();

    /** Without rows. */
    public MarkdownTable(List<String> headings) {
        rows.add(List.copyOf(headings));
    }

    /** Adds a row with a cell for each heading. */
    public void add(List<String> cells) {
        rows.add(List.copyOf(cells));
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (int row = 0; row < rows.size(); row++) {
            for (int column = 0; column < rows.get(row).size(); column++) {
                text.append("| ").append(rows.get(row).get(column)).append(" ".repeat(room(row, column)));
            }
            text.append('|').append(System.lineSeparator());
            if (row == 0) {
                for (int column = 0; column < rows.get(0).size(); column++) {
                    text.append('|').append("-".repeat(width(column) + 2));
                }
                text.append('|').append(System.lineSeparator());
            }
        }
        return text.toString();
    }

    /** Spaces behind a cell. */
    private int room(int row, int column) {
        return width(column) - rows.get(row).get(column).length() + 1;
    }

    private int width(int column) {
        return rows.stream().mapToInt(row -> row.get(column).length()).max().orElse(0);
    }
}
