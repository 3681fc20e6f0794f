package io.peftj.djl.train.report;

import static io.peftj.djl.train.report.Texts.escape;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A figure: lines over steps. The curves are an SVG that is stretched to its room, labels and dots are text and boxes over it, so that letters keep their
 * size on any screen.
 *
 * @param name what the page's script knows it by
 * @param title its heading
 * @param explanation what is drawn, and in which unit
 * @param summary what it shows, for those who cannot see it
 * @param x the axis of steps
 * @param y the axis of values
 * @param lines from back to front
 * @param ends the steps that epochs ended with
 * @param level a value to mark; null for none
 */
record Chart(
        String name,
        String title,
        String explanation,
        String summary,
        Axis x,
        Axis y,
        List<Line> lines,
        List<Long> ends,
        @Nullable Level level) {
    /** Epochs whose ends are marked; more would be a grey area. */
    private static final int MOST_ENDS = 12;
    /** Points that are drawn as dots. */
    private static final int MOST_DOTS = 60;

    private static final double NEAR_THE_END = 0.97;

    private static final int SIDE = 1000;

    Chart {
        lines = List.copyOf(lines);
        ends = List.copyOf(ends);
    }

    /** How a line looks: the colour's number, and what stands at its points. */
    enum Look {
        /** A thin line, with the range of each point around it. */
        FAINT("a faint"),
        /** A line. */
        FIRST("a"),
        /** A line of another colour. */
        SECOND("b"),
        /** A line of that colour with dots. */
        DOTS("b dotted");

        private final String classes;

        Look(String classes) {
            this.classes = classes;
        }
    }

    /** A value at a step, between two others. */
    record Point(double step, double value, double least, double greatest) {
        static Point of(double step, double value) {
            return new Point(step, value, value, value);
        }
    }

    /** A line by a name. */
    record Line(String name, Look look, List<Point> points) {
        Line {
            points = List.copyOf(points);
        }
    }

    /** A value that means something. */
    record Level(double value, String name) {}

    /** The figure's HTML. */
    String html() {
        StringBuilder html = new StringBuilder();
        html.append("<figure class=\"chart\" data-chart=\"").append(name).append("\">\n<figcaption><h3>");
        html.append(escape(title))
                .append("</h3><p>")
                .append(escape(explanation))
                .append("</p>");
        legend(html);
        html.append("</figcaption>\n<div class=\"plot\">\n");
        labels(html, "y", y, "bottom");
        html.append(
                "<div class=\"area\"><svg viewBox=\"0 0 1000 1000\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"");
        html.append(escape(summary)).append("\">");
        path(html, "grid", grid());
        path(html, "ends", ends.size() > MOST_ENDS ? "" : verticals());
        if (level != null) {
            path(html, "level", "M0 " + down(level.value()) + "H" + SIDE);
        }
        lines.forEach(line -> curve(html, line));
        html.append("</svg>");
        lines.forEach(line -> dots(html, line));
        html.append("</div>\n");
        html.append("<div class=\"of\" aria-hidden=\"true\">step</div>");
        labels(html, "x", x, "left");
        return html.append("</div>\n</figure>\n").toString();
    }

    private void legend(StringBuilder html) {
        if (lines.size() < 2 && level == null) {
            return;
        }
        html.append("<ul class=\"legend\">");
        lines.forEach(line -> key(html, line.look().classes, line.name()));
        if (level != null) {
            key(html, "level", level.name());
        }
        html.append("</ul>");
    }

    private static void key(StringBuilder html, String classes, String text) {
        html.append("<li><i class=\"").append(classes).append("\"></i>");
        html.append(escape(text)).append("</li>");
    }

    /** Labels beside the area; the longest one also unseen, to make room for all. */
    private static void labels(StringBuilder html, String side, Axis axis, String from) {
        List<String> texts = axis.ticks().stream().map(axis.text()::apply).toList();
        Optional<String> longest = texts.stream().max(Comparator.comparingInt(String::length));
        html.append("<div class=\"").append(side).append("\" aria-hidden=\"true\"><b>");
        html.append(escape(longest.orElse(""))).append("</b>");
        for (int i = 0; i < texts.size(); i++) {
            double place = axis.place(axis.ticks().get(i));
            html.append(place > NEAR_THE_END ? "<span class=\"end\" style=\"" : "<span style=\"");
            html.append(from).append(':').append(percent(place)).append("\">");
            html.append(escape(texts.get(i))).append("</span>");
        }
        html.append("</div>\n");
    }

    private String grid() {
        StringBuilder path = new StringBuilder();
        y.ticks()
                .forEach(tick ->
                        path.append("M0 ").append(down(tick)).append('H').append(SIDE));
        return path.toString();
    }

    private String verticals() {
        StringBuilder path = new StringBuilder();
        for (double end : ends.stream().mapToDouble(Long::doubleValue).toArray()) {
            if (end > x.from() && end < x.to()) {
                path.append('M').append(right(end)).append(" 0V").append(SIDE);
            }
        }
        return path.toString();
    }

    private void curve(StringBuilder html, Line line) {
        List<Point> points = line.points();
        if (points.size() < 2) {
            return;
        }
        if (line.look() == Look.FAINT) {
            path(html, "band " + line.look().classes, band(points));
        }
        StringBuilder path = new StringBuilder();
        for (Point point : points) {
            path.append(path.isEmpty() ? 'M' : 'L').append(right(point.step()));
            path.append(' ').append(down(point.value()));
        }
        path(html, "line " + line.look().classes, path.toString());
    }

    /** All that lies between the least and the greatest values; nothing where each point is one step. */
    private String band(List<Point> points) {
        if (points.stream().allMatch(point -> point.least() == point.greatest())) {
            return "";
        }
        StringBuilder path = new StringBuilder();
        for (Point point : points) {
            path.append(path.isEmpty() ? 'M' : 'L').append(right(point.step()));
            path.append(' ').append(down(point.greatest()));
        }
        for (int i = points.size() - 1; i >= 0; i--) {
            path.append('L').append(right(points.get(i).step()));
            path.append(' ').append(down(points.get(i).least()));
        }
        return path.append('Z').toString();
    }

    private void dots(StringBuilder html, Line line) {
        List<Point> points = line.points();
        boolean all = line.look() == Look.DOTS && points.size() <= MOST_DOTS;
        if (all || points.size() == 1) {
            for (Point point : points) {
                html.append("<i class=\"dot ").append(line.look().classes).append("\" style=\"left:");
                html.append(percent(x.place(point.step()))).append(";bottom:");
                html.append(percent(y.place(point.value()))).append("\"></i>");
            }
        }
    }

    private static void path(StringBuilder html, String classes, String path) {
        if (!path.isEmpty()) {
            html.append("<path class=\"")
                    .append(classes)
                    .append("\" d=\"")
                    .append(path)
                    .append("\"/>");
        }
    }

    private String right(double step) {
        return place(x.place(step));
    }

    private String down(double value) {
        return place(1 - y.place(value));
    }

    private static String place(double share) {
        long tenths = Math.round(share * SIDE * 10);
        return tenths % 10 == 0 ? Long.toString(tenths / 10) : Double.toString(tenths / 10.0);
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.2f%%", share * 100);
    }
}
