package io.peftj.benchmarks.compare;

import io.peftj.benchmarks.report.BarChart.Bar;
import io.peftj.benchmarks.report.BarChart.Panel;
import io.peftj.benchmarks.report.BarChart.Scale;
import io.peftj.benchmarks.report.BarChart.Series;
import io.peftj.benchmarks.report.Spread;
import java.awt.Color;
import java.util.List;
import java.util.stream.Stream;

/** A summary to be drawn: a panel a metric, a group of bars a case, a bar a side. */
final class SummaryPanels {
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
        List<Series> series = Stream.of(Side.values())
                .filter(side -> lines.stream().anyMatch(line -> line.sides().containsKey(side)))
                .map(side -> new Series(
                        side.title(),
                        colour(side),
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

    private static Color colour(Side side) {
        return switch (side) {
            case OURS -> new Color(0x1f6fb4);
            case PEER -> new Color(0xe08a2e);
            case PROTOTYPE -> new Color(0x6a9f58);
            case FLOOR -> new Color(0xb8bcc2);
        };
    }
}
