package io.peftj.benchmarks.compare;

import io.peftj.benchmarks.report.BarChart.Bar;
import io.peftj.benchmarks.report.BarChart.Panel;
import io.peftj.benchmarks.report.BarChart.Scale;
import io.peftj.benchmarks.report.BarChart.Series;
import io.peftj.benchmarks.report.Spread;
import java.awt.Color;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** A summary to be drawn: a panel a metric, a group of bars a case, a bar a side. */
final class SummaryPanels {
    private static final Map<Side, Color> COLOURS = new EnumMap<>(Map.of(
            Side.OURS, new Color(0x1f6fb4),
            Side.PEER, new Color(0xe08a2e),
            Side.PROTOTYPE, new Color(0x6a9f58),
            Side.FLOOR, new Color(0xb8bcc2)));

    private final Summary summary;

    private SummaryPanels(Summary summary) {
        this.summary = summary;
    }

    static List<Panel> of(Summary summary) {
        SummaryPanels panels = new SummaryPanels(summary);
        return summary.lines().stream()
                .map(Summary.Line::metric)
                .filter(Metric::drawn)
                .distinct()
                .map(panels::panel)
                .toList();
    }

    private Panel panel(Metric metric) {
        List<Summary.Line> lines = summary.lines().stream()
                .filter(line -> line.metric().equals(metric))
                .toList();
        List<Series> series = COLOURS.keySet().stream()
                .filter(side -> lines.stream().anyMatch(line -> line.sides().containsKey(side)))
                .map(side -> new Series(
                        side.title(),
                        COLOURS.get(side),
                        lines.stream().map(line -> bar(line, side)).toList()))
                .toList();
        return new Panel(
                metric.title(), lines.stream().map(line -> line.of().toString()).toList(), series, Scale.LINEAR);
    }

    private Bar bar(Summary.Line line, Side side) {
        Spread spread = line.sides().get(side);
        if (spread == null) {
            return summary.isAbsent(side, line.of()) ? new Bar(null, "absent") : Bar.NONE;
        }
        return new Bar(spread, line.metric().format(spread.median()));
    }
}
