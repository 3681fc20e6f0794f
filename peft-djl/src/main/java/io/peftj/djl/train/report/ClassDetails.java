package io.peftj.djl.train.report;

import static io.peftj.djl.train.report.Texts.escape;

import io.peftj.djl.train.Example;
import io.peftj.djl.train.report.Confusion.Mistake;
import io.peftj.djl.train.report.Confusion.Quality;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.LongFunction;
import java.util.stream.IntStream;

/** Which classes are mistaken for which, how well each is told, and the rows whose own class is found least likely. */
final class ClassDetails {
    /** More classes have no room for numbers in their fields. */
    private static final int MOST_NUMBERED = 16;

    private static final int MOST_MISTAKES = 25;

    private final List<String> labels;
    private final List<Example> examples;
    private final List<double[]> logProbabilities;
    private final LongFunction<String> text;
    private final Confusion confusion;

    ClassDetails(
            List<String> labels, List<Example> examples, List<double[]> logProbabilities, LongFunction<String> text) {
        this.labels = labels;
        this.examples = examples;
        this.logProbabilities = logProbabilities;
        this.text = text;
        this.confusion = new Confusion(
                labels,
                examples.stream().map(Example::label).toList(),
                logProbabilities.stream().map(ClassDetails::likeliest).toList());
    }

    private static int likeliest(double[] logProbabilities) {
        return IntStream.range(0, logProbabilities.length)
                .reduce(0, (best, c) -> logProbabilities[c] > logProbabilities[best] ? c : best);
    }

    String html() {
        return matrix() + mistakes() + qualities() + hardest();
    }

    // ---- the matrix ----

    private String matrix() {
        boolean numbered = labels.size() <= MOST_NUMBERED;
        StringBuilder html = new StringBuilder();
        html.append("<section aria-label=\"Confusion matrix\"><h2>Confusion matrix</h2>");
        html.append(
                "<p class=\"quiet\">Rows of the data by their class, downwards, and the class they were given, to the right");
        html.append(numbered ? "." : "; stronger colours for more.").append("</p>\n");
        html.append("<div class=\"scroll matrix\" tabindex=\"0\" role=\"region\" aria-label=\"Confusion matrix\">");
        html.append(numbered ? numbers() : picture());
        return html.append("</div></section>\n").toString();
    }

    private String numbers() {
        StringBuilder html = new StringBuilder("<table>\n<thead><tr><th scope=\"col\">class</th>");
        labels.forEach(label ->
                html.append("<th scope=\"col\"><span>").append(escape(label)).append("</span></th>"));
        html.append("</tr></thead><tbody>\n");
        for (Quality quality : confusion.qualities()) {
            html.append("<tr><th scope=\"row\">")
                    .append(escape(labels.get(quality.label())))
                    .append("</th>");
            for (int found = 0; found < labels.size(); found++) {
                int count = confusion.count(quality.label(), found);
                double share = quality.rows() == 0 ? 0 : count / (double) quality.rows();
                html.append(String.format(
                        Locale.ROOT,
                        "<td class=\"%s%s\" style=\"--share:%.2f\">%s</td>",
                        found == quality.label() ? "right" : "wrong",
                        share > 0.5 ? " strong" : "",
                        share,
                        count == 0 ? "" : Texts.count((long) count)));
            }
            html.append("</tr>\n");
        }
        return html.append("</tbody></table>").toString();
    }

    /** A field for each pair of classes that occurs, named where one points at it. */
    private String picture() {
        int classes = labels.size();
        StringBuilder html = new StringBuilder();
        html.append(String.format(
                Locale.ROOT,
                "<svg viewBox=\"-0.5 -0.5 %d %d\" role=\"img\" aria-label=\"Confusion matrix of %d classes\">",
                classes + 1,
                classes + 1,
                classes));
        html.append(String.format("<path class=\"frame\" d=\"M0 0H%1$dV%1$dH0Z\"/>", classes));
        for (Quality quality : confusion.qualities()) {
            for (int found = 0; found < classes; found++) {
                int count = confusion.count(quality.label(), found);
                if (count > 0) {
                    html.append(String.format(
                            Locale.ROOT,
                            "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"1\" height=\"1\" style=\"--share:%.2f\"><title>%s</title></rect>",
                            found == quality.label() ? "right" : "wrong",
                            found,
                            quality.label(),
                            count / (double) quality.rows(),
                            escape(labels.get(quality.label()) + " → " + labels.get(found) + ": " + count)));
                }
            }
        }
        return html.append("</svg>").toString();
    }

    // ---- tables ----

    private String mistakes() {
        List<Mistake> all = confusion.mistakes();
        if (all.isEmpty()) {
            return "";
        }
        List<List<String>> rows = all.stream()
                .limit(MOST_MISTAKES)
                .map(mistake -> List.of(
                        labels.get(mistake.label()), labels.get(mistake.found()), Texts.count((long) mistake.count())))
                .toList();
        int wrong = all.stream().mapToInt(Mistake::count).sum();
        return Html.table(
                "Mistakes",
                Texts.count((long) wrong) + " of " + Texts.count((long) examples.size())
                        + " rows were given another class; the most" + " frequent kinds first.",
                List.of("class", "taken for", "rows"),
                rows);
    }

    private String qualities() {
        List<List<String>> rows = new ArrayList<>();
        for (Quality quality : confusion.qualities()) {
            rows.add(List.of(
                    labels.get(quality.label()),
                    Texts.count((long) quality.rows()),
                    share(quality.precision()),
                    share(quality.recall()),
                    share(quality.f1())));
        }
        return Html.table(
                "Classes",
                "Precision: of the rows that were given the class, those that have it. Recall: of the rows that have it, those"
                        + " that were given it. F1: 2 · right / (have it + were given it).",
                List.of("class", "rows", "precision", "recall", "F1"),
                rows);
    }

    private static String share(double value) {
        return Double.isNaN(value) ? "–" : Texts.percent(value);
    }

    private String hardest() {
        List<List<String>> rows = IntStream.range(0, examples.size())
                .boxed()
                .sorted(Comparator.comparingDouble(this::ofOwn))
                .limit(Texts.HARDEST)
                .map(this::hard)
                .toList();
        return Html.tableOfTexts(
                "Hardest rows",
                "The rows whose own class is found least likely; where the label is wrong, it shows here. Rows are counted from 1.",
                List.of("text", "row", "class", "likelihood", "taken for", "likelihood of that"),
                rows);
    }

    private double ofOwn(int example) {
        return logProbabilities.get(example)[examples.get(example).label()];
    }

    private List<String> hard(int example) {
        double[] all = logProbabilities.get(example);
        int found = likeliest(all);
        long number = examples.get(example).number();
        return List.of(
                Texts.beginning(text.apply(number)),
                Texts.count(number + 1),
                labels.get(examples.get(example).label()),
                Texts.percent(Math.exp(ofOwn(example))),
                labels.get(found),
                Texts.percent(Math.exp(all[found])));
    }
}
