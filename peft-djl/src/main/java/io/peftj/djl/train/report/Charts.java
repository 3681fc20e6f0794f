package io.peftj.djl.train.report;

import io.peftj.djl.train.TrainingEvent;
import io.peftj.djl.train.report.Chart.Level;
import io.peftj.djl.train.report.Chart.Line;
import io.peftj.djl.train.report.Chart.Look;
import io.peftj.djl.train.report.Chart.Point;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What is drawn of a run. */
final class Charts {
    /** Means run over this share of the steps. */
    private static final int SMOOTHED_PARTS = 24;
    /** From here on a logarithmic axis shows more. */
    private static final double MANY_TIMES = 30;

    private static final int MANY_STEPS = 10_000;

    private static final int TABLE_ROWS = 40;

    private final TrainingEvent.Start start;
    private final History history;
    private final List<Bucket> buckets;

    Charts(TrainingEvent.Start start, History history) {
        this.start = start;
        this.history = history;
        this.buckets = history.buckets().all();
    }

    /** All figures; none before the first step. */
    String html() {
        if (buckets.isEmpty()) {
            return "<p>No step has been taken yet.</p>\n";
        }
        StringBuilder html = new StringBuilder("<section class=\"charts\" aria-label=\"Curves\">\n");
        html.append(loss().html());
        if (!history.evaluations().isEmpty()) {
            html.append(score().html());
        }
        html.append(gradientNorm().html()).append(learningRate().html());
        html.append(speed().html()).append(memory().html());
        return html.append("</section>\n").toString();
    }

    // ---- figures ----

    private Chart loss() {
        List<Line> lines = new ArrayList<>(curves(Quantity.LOSS, "training"));
        List<Point> validation = history.evaluations().stream()
                .map(each -> Point.of((double) each.step(), each.scores().getOrDefault("loss", Double.NaN)))
                .filter(point -> Double.isFinite(point.value()))
                .toList();
        if (!validation.isEmpty()) {
            lines.add(new Line("validation", Look.DOTS, validation));
        }
        return chart(
                "loss",
                "Loss",
                "mean negative log-likelihood before each step, in nats",
                axis(lines, Texts::number),
                lines,
                null);
    }

    private Chart score() {
        List<History.Evaluated> all = history.evaluations();
        String name = Scores.foremost(all.get(0)).getKey();
        List<Point> points = all.stream()
                .map(each -> Point.of((double) each.step(), each.scores().getOrDefault(name, Double.NaN)))
                .filter(point -> Double.isFinite(point.value()))
                .toList();
        List<Line> lines = List.of(new Line("validation", Look.DOTS, points));
        String title = Scores.text(name);
        return chart(
                "score",
                "Validation " + title,
                "on " + Texts.count(start.validationExamples()) + " examples, after each epoch",
                axis(lines, Scores.isShare(name) ? share -> Texts.number(share * 100) + " %" : Texts::number),
                lines,
                null);
    }

    private Chart learningRate() {
        List<Line> lines = List.of(new Line("learning rate", Look.FIRST, points(Quantity.LEARNING_RATE)));
        Axis axis = Axis.ofUnits(Math.max(1e-300, greatest(lines)), 1, Texts::number);
        return chart("rate", "Learning rate", "of each step", axis, lines, null);
    }

    private Chart gradientNorm() {
        List<Line> lines = curves(Quantity.GRADIENT_NORM, "gradient");
        String clip = start.run().settings().getOrDefault("recipe.clipNorm", "0");
        double most = Double.parseDouble(clip);
        boolean clips = most > 0 && greatest(lines) > most / 2;
        return chart(
                "norm",
                "Gradient norm",
                "Euclidean, before clipping",
                axis(lines, Texts::number),
                lines,
                clips ? new Level(most, "clipped to " + Texts.number(most)) : null);
    }

    private Chart speed() {
        List<Line> lines = curves(Quantity.TOKENS_PER_SECOND, "speed");
        Axis axis = Axis.ofUnits(greatest(lines), 1, Texts::count);
        return chart("speed", "Speed", "tokens a second, evaluations left out", axis, lines, null);
    }

    private Chart memory() {
        List<Line> lines = new ArrayList<>();
        List<Point> resident = points(Quantity.RESIDENT_BYTES);
        if (!resident.isEmpty()) {
            lines.add(new Line("process", Look.SECOND, resident));
        }
        lines.add(new Line("tensors after a step", Look.FIRST, points(Quantity.NATIVE_BYTES)));
        double greatest = greatest(lines);
        double unit = greatest < Texts.GIBIBYTE ? Texts.MEBIBYTE : Texts.GIBIBYTE;
        String name = greatest < Texts.GIBIBYTE ? " MiB" : " GiB";
        Axis axis = Axis.ofUnits(greatest, unit, bytes -> Texts.number(bytes / unit) + name);
        return chart("memory", "Memory", "of the process; of model and adapter", axis, lines, null);
    }

    private Chart chart(
            String name, String title, String explanation, Axis y, List<Line> lines, @Nullable Level level) {
        long last = buckets.get(buckets.size() - 1).last();
        DoubleFunction<String> steps =
                last < MANY_STEPS ? Texts::count : step -> Texts.number(step / 1000) + "k"; // room is scarce on phones
        Axis x = Axis.steps(buckets.get(0).first(), last, steps);
        return new Chart(name, title, explanation, summary(title, y, lines), x, y, lines, history.ends(), level);
    }

    private static String summary(String title, Axis y, List<Line> lines) {
        StringBuilder text = new StringBuilder(title);
        for (Line line : lines) {
            List<Point> points = line.points();
            if (line.look() != Look.FAINT && !points.isEmpty()) {
                DoubleFunction<String> written = y.text();
                text.append("; ").append(line.name()).append(": from ");
                text.append(written.apply(points.get(0).value())).append(" to ");
                text.append(written.apply(points.get(points.size() - 1).value()));
                text.append(", at least ").append(written.apply(least(List.of(line))));
                text.append(", at most ").append(written.apply(greatest(List.of(line))));
            }
        }
        return text.toString();
    }

    // ---- lines and axes ----

    /** The values themselves, faint where there are many, with a running mean over them. */
    private List<Line> curves(Quantity quantity, String name) {
        List<Point> points = points(quantity);
        int each = points.size() / SMOOTHED_PARTS;
        if (each < 2) {
            return List.of(new Line(name, Look.FIRST, points));
        }
        List<Point> means = new ArrayList<>();
        for (int i = 0; i < points.size(); i++) {
            int from = Math.max(0, i - each / 2);
            int to = Math.min(points.size(), i + each / 2 + 1);
            Stat stat = buckets.subList(from, to).stream()
                    .map(bucket -> bucket.stat(quantity))
                    .reduce(Stat.NONE, Stat::and);
            means.add(Point.of(points.get(i).step(), stat.mean()));
        }
        long width = history.buckets().width();
        String faint =
                width == 1 ? name + ", each step" : name + ", range and mean of " + Texts.count(width) + " steps";
        long steps = (each / 2 * 2 + 1) * width;
        return List.of(
                new Line(faint, Look.FAINT, points),
                new Line("mean of " + Texts.count(steps) + " steps", Look.FIRST, means));
    }

    private List<Point> points(Quantity quantity) {
        List<Point> points = new ArrayList<>();
        for (Bucket bucket : buckets) {
            Stat stat = bucket.stat(quantity);
            if (!stat.isNone()) {
                points.add(new Point(bucket.middle(), stat.mean(), stat.min(), stat.max()));
            }
        }
        return points;
    }

    private static Axis axis(List<Line> lines, DoubleFunction<String> text) {
        double least = least(lines);
        double greatest = greatest(lines);
        return least > 0 && greatest > MANY_TIMES * least
                ? Axis.logarithmic(least, greatest, text)
                : Axis.linear(least, greatest, text);
    }

    private static double least(List<Line> lines) {
        return all(lines).mapToDouble(Point::least).min().orElse(0);
    }

    private static double greatest(List<Line> lines) {
        return all(lines).mapToDouble(Point::greatest).max().orElse(1);
    }

    private static Stream<Point> all(List<Line> lines) {
        return lines.stream().flatMap(line -> line.points().stream());
    }

    // ---- the same in numbers ----

    /** A table of at most {@value #TABLE_ROWS} rows. */
    String table() {
        StringBuilder html = new StringBuilder("<table>\n<thead><tr><th scope=\"col\">steps</th>");
        for (String column : List.of(
                "loss", "least", "greatest", "learning rate", "gradient norm", "tokens/s", "tensors", "process")) {
            html.append("<th scope=\"col\">").append(column).append("</th>");
        }
        html.append("</tr></thead><tbody>\n");
        int each = (buckets.size() + TABLE_ROWS - 1) / TABLE_ROWS;
        for (int from = 0; from < buckets.size(); from += Math.max(1, each)) {
            List<Bucket> rows = buckets.subList(from, Math.min(buckets.size(), from + each));
            row(html, rows.stream().reduce(Bucket::and).orElseThrow());
        }
        return html.append("</tbody></table>\n").toString();
    }

    private static void row(StringBuilder html, Bucket bucket) {
        String steps = bucket.first() == bucket.last()
                ? Texts.count(bucket.first())
                : Texts.count(bucket.first()) + "–" + Texts.count(bucket.last());
        html.append("<tr><th scope=\"row\">").append(steps).append("</th>");
        Stat loss = bucket.stat(Quantity.LOSS);
        DoubleStream.of(loss.mean(), loss.min(), loss.max()).forEach(value -> cell(html, Texts.fixed(value)));
        Map<Quantity, DoubleFunction<String>> others = Map.of(
                Quantity.LEARNING_RATE, Texts::number,
                Quantity.GRADIENT_NORM, Texts::fixed,
                Quantity.TOKENS_PER_SECOND, Texts::count,
                Quantity.NATIVE_BYTES, Texts::bytes,
                Quantity.RESIDENT_BYTES, Texts::bytes);
        for (Quantity quantity : Quantity.values()) {
            DoubleFunction<String> text = others.get(quantity);
            if (text != null) {
                Stat stat = bucket.stat(quantity);
                cell(html, stat.isNone() ? "" : text.apply(stat.mean()));
            }
        }
        html.append("</tr>\n");
    }

    private static void cell(StringBuilder html, String text) {
        html.append("<td>").append(text).append("</td>");
    }
}
