package io.peftj.examples.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Lines of cells under headings, in columns as wide as their widest cell; numbers to the right. */
final class Table {
    private final List<List<String>> lines = new ArrayList<>();

    Table(String... headings) {
        lines.add(List.of(headings));
    }

    /** Adds a line with a cell for each heading. */
    Table row(Object... cells) {
        lines.add(Arrays.stream(cells).map(String::valueOf).toList());
        return this;
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (List<String> line : lines) {
            StringBuilder cells = new StringBuilder();
            for (int column = 0; column < line.size(); column++) {
                String cell = line.get(column);
                String format = "%" + (isNumber(column) ? "" : "-") + width(column) + "s  ";
                cells.append(String.format(format, cell));
            }
            text.append(cells.toString().stripTrailing()).append(System.lineSeparator());
        }
        return text.toString();
    }

    private int width(int column) {
        return lines.stream().mapToInt(line -> line.get(column).length()).max().orElse(1);
    }

    private boolean isNumber(int column) {
        return lines.stream().skip(1).allMatch(line -> line.get(column).matches("[\\d,.]+"));
    }
}
