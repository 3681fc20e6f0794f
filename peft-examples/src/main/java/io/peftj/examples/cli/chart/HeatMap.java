package io.peftj.examples.cli.chart;

import java.awt.Color;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Matrices as colours, one below the other: white for a middle value, red above and blue below it. One scale for all. Wide ones are drawn by the most
 * deviating value of neighbouring columns.
 */
public final class HeatMap {
    private static final int LEFT = 70;
    private static final int RIGHT = 110;
    private static final int TOP = 46;
    private static final int GAP = 40;
    private static final int WIDEST = 1400;
    private static final int NARROWEST = 600;

    private final String title;
    private final double middle;
    private final List<Panel> panels = new ArrayList<>();

    /**
     * Columns that belong together.
     *
     * @param name written above them
     * @param width how many they are
     */
    public record Span(String name, int width) {}

    private record Panel(String title, List<Span> spans, List<String> rows, List<double[]> values) {
        int columns() {
            return spans.stream().mapToInt(Span::width).sum();
        }
    }

    /** Without panels yet. */
    public HeatMap(String title, double middle) {
        this.title = title;
        this.middle = middle;
    }

    /**
     * Adds a matrix.
     *
     * @param spans what its columns are, from the left
     * @param rows what its rows are, from above
     * @param values a row each
     */
    public HeatMap panel(String name, List<Span> spans, List<String> rows, List<double[]> values) {
        panels.add(new Panel(name, List.copyOf(spans), List.copyOf(rows), List.copyOf(values)));
        return this;
    }

    /** Writes a PNG. */
    public void write(Path file) {
        int columns = panels.stream().mapToInt(Panel::columns).max().orElse(1);
        int perPixel = (columns + WIDEST - 1) / WIDEST;
        int pixels = Math.max(1, NARROWEST * perPixel / columns);
        int width = (columns + perPixel - 1) / perPixel * pixels;
        int rowHeight = rowHeight();
        int height = TOP
                + panels.stream()
                        .mapToInt(panel -> panel.rows().size() * rowHeight + 2 * GAP)
                        .sum();
        Picture picture = new Picture(LEFT + width + RIGHT, Math.max(height, TOP + 260));
        picture.text(title, LEFT, 22);
        double limit = limit();
        int y = TOP + GAP;
        for (Panel panel : panels) {
            draw(picture, panel, y, rowHeight, perPixel, pixels, limit);
            y += panel.rows().size() * rowHeight + 2 * GAP;
        }
        drawScale(picture, LEFT + width + 24, TOP + GAP, limit);
        picture.write(file);
    }

    private int rowHeight() {
        int rows = panels.stream().mapToInt(panel -> panel.rows().size()).sum();
        return Math.max(4, Math.min(Picture.LINE, 1200 / Math.max(1, rows)));
    }

    private double limit() {
        double largest = 0;
        for (Panel panel : panels) {
            for (double[] row : panel.values()) {
                for (double value : row) {
                    largest = Math.max(largest, Math.abs(value - middle));
                }
            }
        }
        return largest == 0 ? 1 : largest;
    }

    private void draw(Picture picture, Panel panel, int top, int rowHeight, int perPixel, int pixels, double limit) {
        picture.text(panel.title(), LEFT, top - 22);
        int bottom = top + panel.rows().size() * rowHeight;
        for (int row = 0; row < panel.rows().size(); row++) {
            double[] values = panel.values().get(row);
            for (int from = 0, x = LEFT; from < values.length; from += perPixel, x += pixels) {
                picture.graphics().setColor(colour(deviating(values, from, perPixel), limit));
                picture.graphics().fillRect(x, top + row * rowHeight, pixels, rowHeight);
            }
        }
        int every = (Picture.LINE - 1) / rowHeight + 1;
        for (int row = 0; row < panel.rows().size(); row += every) {
            picture.textBefore(panel.rows().get(row), LEFT - 6, top + row * rowHeight + Math.min(rowHeight, 12));
        }
        int column = 0;
        for (Span span : panel.spans()) {
            int x = LEFT + column / perPixel * pixels;
            picture.text(span.name() + " (" + span.width() + ")", x + 3, bottom + 14);
            picture.graphics().setColor(Picture.TEXT);
            picture.graphics().drawLine(x, top, x, bottom + 14);
            column += span.width();
        }
    }

    private double deviating(double[] values, int from, int count) {
        double found = values[from];
        for (int i = from; i < Math.min(values.length, from + count); i++) {
            found = Math.abs(values[i] - middle) > Math.abs(found - middle) ? values[i] : found;
        }
        return found;
    }

    private void drawScale(Picture picture, int x, int y, double limit) {
        int height = 150;
        for (int i = 0; i <= height; i++) {
            picture.graphics().setColor(colour(middle + limit - 2 * limit * i / height, limit));
            picture.graphics().drawLine(x, y + i, x + 14, y + i);
        }
        picture.text(Picture.number(middle + limit), x + 20, y + 10);
        picture.text(Picture.number(middle), x + 20, y + height / 2 + 5);
        picture.text(Picture.number(middle - limit), x + 20, y + height);
    }

    private Color colour(double value, double limit) {
        double share = Math.max(-1, Math.min(1, (value - middle) / limit));
        int faded = (int) Math.round(255 * (1 - Math.abs(share)));
        return share > 0 ? new Color(255, faded, faded) : new Color(faded, faded, 255);
    }
}
