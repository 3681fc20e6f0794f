package io.peftj.benchmarks.report;

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
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.style.CategoryStyler;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;

/** A picture of medians as bars, from the least to the greatest as whiskers, in panels one above the other. */
public final class BarChart {
    private static final Color INK = new Color(0x30343a);
    private static final int HEADING_LINE = 24;
    private static final int PADDING = 16;
    private static final int CAP = 4;

    /** About a letter's width below the axis, in pixels. */
    private static final int LETTER = 8;

    /** How names stand that have no room side by side, in degrees. */
    private static final int SLOPE = 20;

    /** The share of a group's room that its bars fill. */
    private static final double FILL = 0.8;

    /** Room above the tallest whisker, for its value; below the least of a logarithmic axis, for the bar to be seen. */
    private static final double HEADROOM = 1.12;

    private final List<String> heading;
    private final List<Panel> panels;

    /**
     * Of panels.
     *
     * @param heading lines above all panels; the first is the title
     */
    public BarChart(List<String> heading, List<Panel> panels) {
        this.heading = List.copyOf(heading);
        this.panels = List.copyOf(panels);
    }

    /**
     * Bars over one axis, in groups.
     *
     * @param title of the axis, with the unit
     * @param groups their names
     * @param scale of the axis
     */
    public record Panel(String title, List<String> groups, List<Series> series, Scale scale) {
        /** Copies the lists. */
        public Panel {
            groups = List.copyOf(groups);
            series = List.copyOf(series);
        }

        private Stream<Spread> spreads() {
            return series.stream()
                    .flatMap(one -> one.bars().stream())
                    .map(Bar::spread)
                    .flatMap(Stream::ofNullable);
        }
    }

    /** How an axis goes. */
    public enum Scale {
        /** From 0 in equal steps. */
        LINEAR,

        /** In powers of ten. */
        LOGARITHMIC
    }

    /**
     * Bars of one colour.
     *
     * @param title in the legend
     * @param bars one a group
     */
    public record Series(String title, Color colour, List<Bar> bars) {
        /** Copies the list. */
        public Series {
            bars = List.copyOf(bars);
        }
    }

    /**
     * A bar, or its place.
     *
     * @param spread how high it is; null where there is none
     * @param label above it, or in its place
     */
    public record Bar(@Nullable Spread spread, String label) {
        /** No bar, and nothing in its place. */
        public static final Bar NONE = new Bar(null, "");
    }

    /**
     * Writes it as PNG.
     *
     * @param panelHeight of each panel
     */
    public void write(Path file, int width, int panelHeight) {
        int top = heading.size() * HEADING_LINE + 2 * PADDING;
        BufferedImage image = new BufferedImage(width, top + panels.size() * panelHeight, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = image.createGraphics();
        g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        g.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        g.setColor(Color.WHITE);
        g.fillRect(0, 0, image.getWidth(), image.getHeight());
        drawHeading(g);
        for (int i = 0; i < panels.size(); i++) {
            Graphics2D place = (Graphics2D) g.create(0, top + i * panelHeight, width, panelHeight);
            drawPanel(place, panels.get(i), width, panelHeight);
            place.dispose();
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

    private static void drawPanel(Graphics2D g, Panel panel, int width, int height) {
        CategoryChart chart = new CategoryChartBuilder()
                .width(width)
                .height(height)
                .yAxisTitle(panel.title())
                .build();
        style(chart.getStyler(), panel);
        int longest = panel.groups().stream().mapToInt(String::length).max().orElse(0);
        if (longest * LETTER > width / Math.max(1, panel.groups().size())) {
            chart.getStyler().setXAxisLabelRotation(SLOPE);
        }
        for (Series series : panel.series()) {
            chart.addSeries(
                    series.title(),
                    panel.groups(),
                    series.bars().stream().map(BarChart::height).toList());
        }
        chart.paint(g, width, height);
        drawWhiskers(g, chart, panel);
    }

    private static double height(Bar bar) {
        return bar.spread() == null ? 0 : bar.spread().median();
    }

    private static void style(CategoryStyler style, Panel panel) {
        style.setAvailableSpaceFill(FILL)
                .setSeriesColors(panel.series().stream().map(Series::colour).toArray(Color[]::new))
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
        double greatest = panel.spreads().mapToDouble(Spread::max).max().orElse(1);
        if (panel.scale() == Scale.LINEAR) {
            style.setYAxisMin(0.0).setYAxisMax(greatest > 0 ? greatest * HEADROOM : 1);
        } else {
            double least = panel.spreads().mapToDouble(Spread::min).min().orElse(1);
            style.setYAxisDecimalPattern("#,##0.###")
                    .setYAxisLogarithmic(true)
                    .setYAxisMin(Math.pow(10, Math.floor(Math.log10(least / HEADROOM))))
                    .setYAxisMax(Math.pow(10, Math.ceil(Math.log10(greatest * HEADROOM))));
        }
    }

    /** XChart's own error bars are as long upwards as downwards, and stand at bars that are not there. */
    private static void drawWhiskers(Graphics2D g, CategoryChart chart, Panel panel) {
        g.setColor(INK);
        g.setStroke(new BasicStroke(1.5f));
        g.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
        int places = panel.series().size();
        for (int group = 0; group < panel.groups().size(); group++) {
            for (int place = 0; place < places; place++) {
                Bar bar = panel.series().get(place).bars().get(group);
                double x = chart.getScreenXFromChart(group + (1 - FILL) / 2 + FILL * (place + 0.5) / places);
                double top = bar.spread() == null
                        ? chart.getScreenYFromChart(chart.getStyler().getYAxisMin())
                        : drawWhisker(g, chart, x, bar.spread());
                drawLabel(g, bar.label(), x, top);
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

    private static void drawLabel(Graphics2D g, String label, double x, double y) {
        g.drawString(label, (float) (x - g.getFontMetrics().stringWidth(label) / 2.0), (float) (y - 5));
    }
}
