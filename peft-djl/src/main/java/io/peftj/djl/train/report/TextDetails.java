package io.peftj.djl.train.report;

import io.peftj.djl.train.Example;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.LongFunction;
import java.util.stream.IntStream;

/** How the losses of texts are spread, and the texts that are found least likely. */
final class TextDetails {
    private static final int BARS = 24;

    private final List<Example> examples;
    private final List<Double> losses;
    private final LongFunction<String> text;
    /** Those that learn anything. */
    private final List<Integer> measured;

    /**
     * Shows losses.
     *
     * @param losses of all that each example learns
     */
    TextDetails(List<Example> examples, List<Double> losses, LongFunction<String> text) {
        this.examples = examples;
        this.losses = losses;
        this.text = text;
        this.measured = IntStream.range(0, examples.size())
                .filter(example -> examples.get(example).measured() > 0)
                .boxed()
                .toList();
    }

    String html() {
        return spread() + hardest();
    }

    private double ofToken(int example) {
        return losses.get(example) / examples.get(example).measured();
    }

    private String spread() {
        double greatest = measured.stream().mapToDouble(this::ofToken).max().orElse(1);
        Axis axis = Axis.ofUnits(Math.max(greatest, 1e-9), 1, Texts::number);
        int[] counts = new int[BARS];
        for (int example : measured) {
            counts[Math.min(BARS - 1, (int) (axis.place(ofToken(example)) * BARS))]++;
        }
        int most = IntStream.of(counts).max().orElse(1);
        StringBuilder html = new StringBuilder();
        html.append(
                        "<section aria-label=\"Losses\"><h2>Losses</h2><p class=\"quiet\">Rows by their mean loss a token, in nats; the")
                .append(" highest bar stands for ")
                .append(Texts.count((long) most))
                .append(" of ")
                .append(Texts.count((long) measured.size()))
                .append(" rows.</p>\n<figure class=\"chart bars\"><div class=\"plot\"><div class=\"y\"></div>")
                .append("<div class=\"area\" role=\"img\" aria-label=\"Mean loss a token, from 0 to ")
                .append(Texts.number(axis.to()))
                .append("\">");
        double width = axis.to() / BARS;
        for (int bar = 0; bar < BARS; bar++) {
            html.append(String.format(
                    Locale.ROOT,
                    "<i style=\"height:%.2f%%\" title=\"%s to %s: %d rows\"></i>",
                    100.0 * counts[bar] / most,
                    Texts.number(bar * width),
                    Texts.number((bar + 1) * width),
                    counts[bar]));
        }
        html.append("</div><div class=\"of\"></div><div class=\"x\" aria-hidden=\"true\"><b>0</b>");
        for (double tick : axis.ticks()) {
            html.append(String.format(
                    Locale.ROOT,
                    "<span%s style=\"left:%.2f%%\">%s</span>",
                    tick == axis.to() ? " class=\"end\"" : "",
                    100 * axis.place(tick),
                    Texts.number(tick)));
        }
        return html.append("</div></div></figure></section>\n").toString();
    }

    private String hardest() {
        List<List<String>> rows = measured.stream()
                .sorted(Comparator.comparingDouble(this::ofToken).reversed())
                .limit(Texts.HARDEST)
                .map(example -> List.of(
                        Texts.beginning(text.apply(examples.get(example).number())),
                        Texts.count(examples.get(example).number() + 1),
                        Texts.count((long) examples.get(example).measured()),
                        Texts.fixed(ofToken(example)),
                        Texts.fixed(losses.get(example))))
                .toList();
        return Html.tableOfTexts(
                "Hardest rows",
                "The rows with the highest mean loss a token. Rows are counted from 1.",
                List.of("text", "row", "tokens", "loss a token", "loss of all"),
                rows);
    }
}
