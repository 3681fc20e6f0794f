package io.peftj.benchmarks.kernels;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.peftj.benchmarks.report.BarChart;
import io.peftj.benchmarks.report.BarChart.Bar;
import io.peftj.benchmarks.report.BarChart.Panel;
import io.peftj.benchmarks.report.BarChart.Scale;
import io.peftj.benchmarks.report.BarChart.Series;
import io.peftj.benchmarks.report.Machine;
import io.peftj.benchmarks.report.MarkdownTable;
import io.peftj.core.Library;
import io.peftj.core.io.AtomicFiles;
import io.peftj.core.io.Json;
import java.awt.Color;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.openjdk.jmh.util.Version;

/** Scores as a table, a JSON file and a picture. */
final class KernelReport {
    private static final Map<String, Color> COLOURS = Map.of("F32", new Color(0x1f6fb4), "BF16", new Color(0xe08a2e));
    private static final Color OTHERS = new Color(0x6a9f58);
    private static final int WIDTH = 1600;
    private static final int PANEL_HEIGHT = 420;

    private final Machine machine;
    private final List<KernelScore> scores;

    KernelReport(Machine machine, List<KernelScore> scores) {
        this.machine = machine;
        this.scores = List.copyOf(scores);
    }

    /** A panel of the picture: what scores have in common but for kernel and format. */
    private record Sizes(int tokens, int threads) {
        static Sizes of(KernelScore score) {
            return new Sizes(score.tokens(), score.threads());
        }

        @Override
        public String toString() {
            return tokens + " tokens, " + threads + (threads == 1 ? " thread" : " threads");
        }
    }

    /** A row a kernel and size, a column a format: the median, least and greatest behind it. */
    String table() {
        List<String> dtypes = dtypes();
        MarkdownTable table = new MarkdownTable(Stream.concat(
                        Stream.of("kernel", "tokens", "threads"),
                        dtypes.stream().map(dtype -> dtype + ", µs a call"))
                .toList());
        for (Sizes sizes : sizes()) {
            List<String> measured = scores.stream()
                    .filter(score -> Sizes.of(score).equals(sizes))
                    .map(KernelScore::kernel)
                    .distinct()
                    .toList();
            for (String kernel : measured) {
                List<String> cells = new ArrayList<>(List.of(kernel, "" + sizes.tokens(), "" + sizes.threads()));
                dtypes.forEach(dtype -> cells.add(find(kernel, dtype, sizes)
                        .map(score -> number(score.micros().median()) + " ("
                                + number(score.micros().min()) + "–"
                                + number(score.micros().max()) + ")")
                        .findFirst()
                        .orElse("")));
                table.add(cells);
            }
        }
        return table.toString();
    }

    /** Writes machine, versions and scores. */
    void writeJson(Path file) {
        JsonObject json = new JsonObject();
        json.add("machine", machine.json());
        JsonObject versions = new JsonObject();
        versions.addProperty("peftj", Library.version());
        versions.addProperty("jmh", Version.getPlainVersion());
        json.add("versions", versions);
        JsonArray results = new JsonArray();
        scores.forEach(score -> results.add(score.json()));
        json.add("results", results);
        AtomicFiles.write(file, AtomicFiles.Content.of(Json.write(json) + "\n"));
    }

    /** Draws a panel a size, a group of bars a kernel, a bar a format. */
    void draw(Path file) {
        List<String> heading = List.of(
                "Single kernels at the sizes of a LLaMA of width 512, microseconds a call",
                machine.title(),
                "peftj " + Library.version() + "; bars are medians, whiskers reach from the least to the greatest");
        new BarChart(heading, sizes().stream().map(this::panel).toList()).write(file, WIDTH, PANEL_HEIGHT);
    }

    private Panel panel(Sizes sizes) {
        List<String> kernels = kernels();
        List<Series> series = dtypes().stream()
                .map(dtype -> new Series(
                        dtype,
                        COLOURS.getOrDefault(dtype, OTHERS),
                        kernels.stream()
                                .map(kernel -> find(kernel, dtype, sizes)
                                        .map(score -> new Bar(
                                                score.micros(),
                                                number(score.micros().median())))
                                        .findFirst()
                                        .orElse(Bar.NONE))
                                .toList()))
                .toList();
        return new Panel("µs a call, " + sizes, kernels, series, Scale.LOGARITHMIC);
    }

    private Stream<KernelScore> find(String kernel, String dtype, Sizes sizes) {
        return scores.stream()
                .filter(score -> score.kernel().equals(kernel)
                        && score.dtype().equals(dtype)
                        && Sizes.of(score).equals(sizes));
    }

    private List<String> kernels() {
        return scores.stream().map(KernelScore::kernel).distinct().toList();
    }

    private List<String> dtypes() {
        return scores.stream().map(KernelScore::dtype).distinct().toList();
    }

    private List<Sizes> sizes() {
        return scores.stream().map(Sizes::of).distinct().toList();
    }

    private static String number(double micros) {
        return String.format(Locale.ROOT, micros < 10 ? "%.1f" : "%.0f", micros);
    }
}
