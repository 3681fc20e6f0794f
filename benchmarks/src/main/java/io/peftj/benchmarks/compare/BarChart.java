package io.peftj.benchmarks.compare;

import io.peftj.core.io.AtomicFiles;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Line2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.style.CategoryStyler;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;

/** A picture of medians as bars, from the least to the greatest as whiskers: a panel a metric, a group of bars a case. */
final class BarChart {
    private static final Map<Side, Color> COLOURS = new EnumMap<>(Map.of(
            Side.OURS, new Color(0x1f6fb4),
            Side.PEER, new Color(0xe08a2e),
            Side.PROTOTYPE, new Color(0x6a9f58),
            Side.FLOOR, new Color(0xb8bcc2)));
    private static final Color INK = new Color(0x30343a);
    private static final int HEADING_LINE = 24;
    private static final int PADDING = 16;
    private static final int CAP = 4;

    /** The share of a group's room that its bars fill. */
    private static final double FILL = 0.8;

    /** Room above the tallest whisker, for its value. */
    private static final double HEADROOM = 1.12;

    private final List<String> heading;
    private final Summary summary;

    /**
     * Of a summary.
     *
     * @param heading lines above all panels; the first is the title
     */
    BarChart(List<String> heading, Summary summary) {
        this.heading = heading;
        this.summary = summary;
    }

    /**
     * Writes it as PNG.
     *
     * @param panelHeight of each metric's panel
     */
    void write(Path file, int width, int panelHeight) {
        List<Metric> metrics = summary.lines().stream()
                .map(Summary.Line::metric)
                .filter(Metric::drawn)
                .distinct()
                .toList();
        int top = heading.size() * HEADING_LINE + 2 * PADDING;
        BufferedImage image = new BufferedImage(width, top + metrics.size() * panelHeight, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = image.createGraphics();
        g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        g.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        g.setColor(Color.WHITE);
        g.fillRect(0, 0, image.getWidth(), image.getHeight());
        drawHeading(g);
        for (int i = 0; i < metrics.size(); i++) {
            Graphics2D panel = (Graphics2D) g.create(0, top + i * panelHeight, width, panelHeight);
            drawPanel(panel, metrics.get(i), width, panelHeight);
            panel.dispose();
        }
        g.dispose();
        write(file, image);
    }

    private static void write(Path file, BufferedImage image) {
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        try {
            ImageIO.write(image, "png", png);
        } catch (IOException e) {
            throw new UncheckedIOException("memory does not fail", e);
        }
        AtomicFiles.write(file, out -> {
            ByteBuffer bytes = ByteBuffer.wrap(png.toByteArray());
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
        });
    }

    private void drawHeading(Graphics2D g) {
        g.setColor(INK);
        for (int i = 0; i < heading.size(); i++) {
            g.setFont(new Font(Font.SANS_SERIF, i == 0 ? Font.BOLD : Font.PLAIN, i == 0 ? 17 : 13));
            g.drawString(heading.get(i), PADDING, PADDING + (i + 1) * HEADING_LINE - 8);
        }
    }

    private void drawPanel(Graphics2D g, Metric metric, int width, int height) {
        List<Summary.Line> lines = summary.lines().stream()
                .filter(line -> line.metric().equals(metric))
                .toList();
        List<Side> sides = COLOURS.keySet().stream()
                .filter(side -> lines.stream().anyMatch(line -> line.sides().containsKey(side)))
                .toList();
        CategoryChart chart = new CategoryChartBuilder()
                .width(width)
                .height(height)
                .yAxisTitle(metric.title())
                .build();
        style(chart.getStyler(), sides);
        double greatest = lines.stream()
                .flatMap(line -> line.sides().values().stream())
                .mapToDouble(Spread::max)
                .max()
                .orElse(1);
        chart.getStyler().setYAxisMin(0.0).setYAxisMax(greatest > 0 ? greatest * HEADROOM : 1);
        List<String> names = lines.stream().map(line -> line.of().toString()).toList();
        for (Side side : sides) {
            chart.addSeries(
                    side.title(),
                    names,
                    lines.stream().map(line -> median(line, side)).toList());
        }
        chart.paint(g, width, height);
        drawWhiskers(g, chart, lines, sides, metric);
    }

    private static double median(Summary.Line line, Side side) {
        Spread spread = line.sides().get(side);
        return spread == null ? 0 : spread.median();
    }

    private static void style(CategoryStyler style, List<Side> sides) {
        style.setAvailableSpaceFill(FILL)
                .setSeriesColors(sides.stream().map(COLOURS::get).toArray(Color[]::new))
                .setLegendPosition(LegendPosition.OutsideS)
                .setLegendLayout(LegendLayout.Horizontal)
                .setLegendBorderColor(Color.WHITE)
                .setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13))
                .setChartBackgroundColor(Color.WHITE)
                .setChartFontColor(INK)
                .setPlotBorderVisible(false)
                .setPlotContentSize(1)
                .setChartTitleVisible(false)
                .setAntiAlias(true);
        style.setPlotGridVerticalLinesVisible(false)
                .setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13))
                .setAxisTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
    }

    /** XChart's own error bars are as long upwards as downwards, and stand at bars that are not there. */
    private void drawWhiskers(
            Graphics2D g, CategoryChart chart, List<Summary.Line> lines, List<Side> sides, Metric metric) {
        g.setColor(INK);
        g.setStroke(new BasicStroke(1.5f));
        g.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
        for (int group = 0; group < lines.size(); group++) {
            Summary.Line line = lines.get(group);
            for (int place = 0; place < sides.size(); place++) {
                Side side = sides.get(place);
                Spread spread = line.sides().get(side);
                double x = chart.getScreenXFromChart(group + (1 - FILL) / 2 + FILL * (place + 0.5) / sides.size());
                if (spread != null) {
                    double top = drawWhisker(g, chart, x, spread);
                    drawValue(g, metric.format(spread.median()), x, top);
                } else if (summary.isAbsent(side, line.of())) {
                    drawValue(g, "absent", x, chart.getScreenYFromChart(0));
                }
            }
        }
    }

    /** Draws where there is more than one run, and gives the top's place. */
    private static double drawWhisker(Graphics2D g, CategoryChart chart, double x, Spread spread) {
        double top = chart.getScreenYFromChart(spread.max());
        if (spread.count() > 1) {
            double bottom = chart.getScreenYFromChart(spread.min());
            g.draw(new Line2D.Double(x, bottom, x, top));
            g.draw(new Line2D.Double(x - CAP, top, x + CAP, top));
            g.draw(new Line2D.Double(x - CAP, bottom, x + CAP, bottom));
        }
        return top;
    }

    private static void drawValue(Graphics2D g, String value, double x, double y) {
        g.drawString(value, (float) (x - g.getFontMetrics().stringWidth(value) / 2.0), (float) (y - 5));
    }
}
