package io.peftj.examples.cli.chart;

import java.awt.BasicStroke;
import java.awt.Color;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Quantities over whole numbers such as layers, a chart each, below each other. */
public final class LineCharts {
    private static final int LEFT = 80;
    private static final int RIGHT = 30;
    private static final int TOP = 50;
    private static final int WIDTH = 640;
    private static final int HEIGHT = 130;
    private static final int GAP = 52;
    private static final Color INK = new Color(0x1F, 0x5F, 0xA8);

    private final String title;
    private final String axis;
    private final List<Chart> charts = new ArrayList<>();

    private record Chart(String name, List<Double> values) {}

    /** Without charts yet; the axis says what is counted. */
    public LineCharts(String title, String axis) {
        this.title = title;
        this.axis = axis;
    }

    /** Adds a chart: from 0 on, or around it where a value is below. */
    public LineCharts chart(String name, List<Double> values) {
        charts.add(new Chart(name, List.copyOf(values)));
        return this;
    }

    /** Writes a PNG. */
    public void write(Path file) {
        Picture picture = new Picture(LEFT + WIDTH + RIGHT, TOP + charts.size() * (HEIGHT + GAP) + 10);
        picture.text(title, LEFT, 22);
        int top = TOP + 14;
        for (Chart chart : charts) {
            draw(picture, chart, top);
            top += HEIGHT + GAP;
        }
        picture.textAround(axis, LEFT + WIDTH / 2, top - GAP + 34);
        picture.write(file);
    }

    private void draw(Picture picture, Chart chart, int top) {
        double end =
                rounded(chart.values().stream().mapToDouble(Math::abs).max().orElse(0));
        double begin = chart.values().stream().anyMatch(value -> value < 0) ? -end : 0;
        int bottom = top + HEIGHT;
        picture.text(chart.name(), LEFT, top - 6);
        for (int line = 0; line <= 2; line++) {
            int y = bottom - line * HEIGHT / 2;
            picture.graphics().setColor(Picture.FAINT);
            picture.graphics().drawLine(LEFT, y, LEFT + WIDTH, y);
            picture.textBefore(Picture.number(begin + (end - begin) * line / 2), LEFT - 8, y + 4);
        }
        int count = chart.values().size();
        int every = (count - 1) / 16 + 1;
        for (int i = 0; i < count; i += every) {
            picture.textAround(Integer.toString(i), x(i, count), bottom + 16);
        }
        picture.graphics().setColor(INK);
        picture.graphics().setStroke(new BasicStroke(2));
        for (int i = 0; i < count; i++) {
            int y = y(chart.values().get(i), begin, end, bottom);
            picture.graphics().fillOval(x(i, count) - 3, y - 3, 7, 7);
            if (i > 0) {
                picture.graphics()
                        .drawLine(x(i - 1, count), y(chart.values().get(i - 1), begin, end, bottom), x(i, count), y);
            }
        }
        picture.graphics().setStroke(new BasicStroke(1));
    }

    private static int x(int i, int count) {
        return count == 1 ? LEFT + WIDTH / 2 : LEFT + 8 + (int) ((long) i * (WIDTH - 16) / (count - 1));
    }

    private static int y(double value, double begin, double end, int bottom) {
        return bottom - (int) Math.round((value - begin) / (end - begin) * HEIGHT);
    }

    /** 1, 2 or 5 times a power of ten, not below the value. */
    private static double rounded(double value) {
        if (!(value > 0)) {
            return 1;
        }
        double power = Math.pow(10, Math.floor(Math.log10(value)));
        for (double step : new double[] {1, 2, 5}) {
            if (value <= step * power) {
                return step * power;
            }
        }
        return 10 * power;
    }
}
