package io.peftj.benchmarks.compare;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.peftj.benchmarks.report.MarkdownTable;
import io.peftj.benchmarks.report.Spread;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/**
 * Medians, spreads and ratios.
 *
 * @param lines one a case and metric
 * @param absences what sides do not do, and why
 */
record Summary(List<Line> lines, List<Run> absences) {
    /**
     * A metric of a case.
     *
     * @param sides the measurements of each side that has any
     */
    record Line(Case of, Metric metric, Map<Side, Spread> sides) {
        /** Our median over the peer's; empty where one of them is absent, or the peer's is 0. */
        OptionalDouble ratio() {
            return ratio(Side.OURS, Side.PEER);
        }

        /** The share of our time that is the floor's; empty where one of them is absent. */
        OptionalDouble floorShare() {
            return metric.moreIsBetter() ? ratio(Side.OURS, Side.FLOOR) : ratio(Side.FLOOR, Side.OURS);
        }

        private OptionalDouble ratio(Side over, Side under) {
            Spread numerator = sides.get(over);
            Spread denominator = sides.get(under);
            return numerator == null || denominator == null || denominator.median() == 0
                    ? OptionalDouble.empty()
                    : OptionalDouble.of(numerator.median() / denominator.median());
        }
    }

    /** Of runs in any order; cases come in the order of their first run. */
    static Summary of(List<Metric> metrics, List<Run> runs) {
        List<Line> lines = new ArrayList<>();
        for (Case of : runs.stream().map(Run::of).distinct().toList()) {
            for (Metric metric : metrics) {
                Map<Side, Spread> sides = new EnumMap<>(Side.class);
                for (Side side : Side.values()) {
                    double[] values = values(runs, side, of, metric);
                    if (values.length > 0) {
                        sides.put(side, Spread.of(values));
                    }
                }
                if (!sides.isEmpty()) {
                    lines.add(new Line(of, metric, sides));
                }
            }
        }
        return new Summary(
                lines, runs.stream().filter(run -> run.absence() != null).toList());
    }

    private static double[] values(List<Run> runs, Side side, Case of, Metric metric) {
        return runs.stream()
                .filter(run -> run.side() == side && run.of().equals(of))
                .flatMap(run -> Stream.ofNullable(run.result()))
                .map(metric::of)
                .flatMapToDouble(OptionalDouble::stream)
                .toArray();
    }

    /** The sides that have anything. */
    List<Side> sides() {
        return Stream.of(Side.values())
                .filter(side -> lines.stream().anyMatch(line -> line.sides().containsKey(side)))
                .toList();
    }

    /** Whether a side is known not to do a case. */
    boolean isAbsent(Side side, Case of) {
        return absences.stream().anyMatch(run -> run.side() == side && run.of().equals(of));
    }

    JsonArray json() {
        JsonArray json = new JsonArray();
        for (Line line : lines) {
            JsonObject object = new JsonObject();
            object.addProperty("method", line.of().method());
            object.addProperty("dtype", line.of().dtype());
            object.addProperty("metric", line.metric().name());
            line.sides().forEach((side, spread) -> object.add(side.key(), spread.json()));
            line.ratio().ifPresent(ratio -> object.addProperty("ratio", rounded(ratio)));
            line.floorShare().ifPresent(share -> object.addProperty("floor_share", rounded(share)));
            json.add(object);
        }
        return json;
    }

    private static double rounded(double ratio) {
        return Math.round(ratio * 1000) / 1000.0;
    }

    /** A table in Markdown, and a line on what is absent. */
    String text() {
        List<Side> sides = sides();
        MarkdownTable table = new MarkdownTable(Stream.of(
                        Stream.of("method", "dtype", "metric"),
                        sides.stream().map(Side::title),
                        Stream.of("ours / PEFT", "floor / ours"))
                .flatMap(heading -> heading)
                .toList());
        for (Line line : lines) {
            table.add(Stream.of(
                            Stream.of(
                                    line.of().method(),
                                    line.of().dtype(),
                                    line.metric().title()),
                            sides.stream().map(side -> cell(line, side)),
                            Stream.of(
                                    percentOrRatio("%.2f", line.ratio(), 1),
                                    percentOrRatio("%.0f %%", line.floorShare(), 100)))
                    .flatMap(cell -> cell)
                    .toList());
        }
        StringBuilder text = new StringBuilder(table.toString());
        absences.forEach(run -> text.append(System.lineSeparator())
                .append(run.side().title())
                .append(" is absent from ")
                .append(run.of())
                .append(": ")
                .append(run.absence()));
        return text.append(absences.isEmpty() ? "" : System.lineSeparator()).toString();
    }

    private static String percentOrRatio(String format, OptionalDouble value, double factor) {
        return value.isPresent() ? String.format(Locale.ROOT, format, value.getAsDouble() * factor) : "";
    }

    /** The median, and the least and the greatest behind it where there are several. */
    private static String cell(Line line, Side side) {
        Spread spread = line.sides().get(side);
        if (spread == null) {
            return "";
        }
        Metric metric = line.metric();
        String median = metric.format(spread.median());
        return spread.count() == 1
                ? median
                : median + " (" + metric.format(spread.min()) + "–" + metric.format(spread.max()) + ")";
    }
}
