package io.peftj.examples.cli;

import io.peftj.core.tensor.Backend;
import io.peftj.djl.engine.KernelProfile.Entry;
import io.peftj.djl.engine.KernelProfile.Product;
import java.util.Comparator;
import java.util.IntSummaryStatistics;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A profile as a table: what each kernel takes of a step, and how long the step's frozen products take alone. */
final class ProfileReport {
    private final List<Entry> entries;
    private final long steps;
    private final int lanes;
    private final double alone;

    /**
     * Measures the products of a profile alone.
     *
     * @param steps how many steps it covers
     * @param lanes how many kernels ran side by side
     */
    ProfileReport(Backend backend, List<Entry> entries, long steps, int lanes) {
        this.entries = entries;
        this.steps = steps;
        this.lanes = lanes;
        this.alone = entries.stream()
                .mapToDouble(entry -> entry.product().stream()
                        .flatMap(product -> products(entry, product))
                        .mapToDouble(product -> entry.calls() * FrozenFloor.seconds(backend, lanes, product))
                        .sum())
                .sum();
    }

    /** The loss over a vocabulary multiplies there and, where it trains, back. */
    private static Stream<Product> products(Entry entry, Product product) {
        return entry.kernel().equals("linear_cross_entropy")
                ? Stream.of(product, new Product(product.tokens(), product.out(), product.in(), true, product.dtype()))
                : Stream.of(product);
    }

    /** Seconds a step that its frozen products take alone. */
    double floorSeconds() {
        return alone / steps / lanes;
    }

    /** Lines of the table: the same kernel over matrices of the same sizes, whatever the number of tokens. */
    private record Line(String kernel, String product) {
        static Line of(Entry entry) {
            return new Line(
                    entry.kernel(), entry.product().map(ProfileReport::describe).orElse(""));
        }
    }

    /** The table, and beneath it the sums. */
    String text(double stepSeconds) {
        Map<Line, List<Entry>> lines =
                entries.stream().collect(Collectors.groupingBy(Line::of, LinkedHashMap::new, Collectors.toList()));
        Table table = new Table("kernel", "of", "tokens", "calls a step", "ms a step", "% of the step");
        lines.entrySet().stream()
                .sorted(Comparator.comparingDouble((Map.Entry<Line, List<Entry>> line) -> seconds(line.getValue()))
                        .reversed())
                .forEach(line -> table.row(
                        line.getKey().kernel(),
                        line.getKey().product(),
                        tokens(line.getValue()),
                        number((double) line.getValue().stream()
                                        .mapToLong(Entry::calls)
                                        .sum()
                                / steps),
                        number(1000 * seconds(line.getValue())),
                        number(100 * seconds(line.getValue()) / stepSeconds)));
        return table + System.lineSeparator()
                + "all kernels " + number(1000 * seconds(entries)) + " ms of a step of " + number(1000 * stepSeconds)
                + " ms; its frozen products alone " + number(1000 * floorSeconds()) + " ms ("
                + number(100 * floorSeconds() / stepSeconds) + " %)" + System.lineSeparator()
                + "calls are those of all " + lanes + " lanes, times theirs on average" + System.lineSeparator();
    }

    private double seconds(List<Entry> some) {
        return some.stream().mapToDouble(Entry::seconds).sum() / steps / lanes;
    }

    private static String tokens(List<Entry> some) {
        IntSummaryStatistics tokens = some.stream()
                .flatMap(entry -> entry.product().stream())
                .mapToInt(Product::tokens)
                .summaryStatistics();
        if (tokens.getCount() == 0) {
            return "";
        }
        return tokens.getMin() == tokens.getMax() ? "" + tokens.getMin() : tokens.getMin() + " to " + tokens.getMax();
    }

    private static String describe(Product product) {
        int from = product.transposed() ? product.out() : product.in();
        int to = product.transposed() ? product.in() : product.out();
        return product.dtype() + " " + from + " -> " + to;
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }
}
