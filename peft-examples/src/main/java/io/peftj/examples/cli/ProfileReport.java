package io.peftj.examples.cli;

import io.peftj.core.tensor.Backend;
import io.peftj.djl.engine.KernelProfile.Entry;
import io.peftj.djl.engine.KernelProfile.Product;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** A profile as a table: what each kernel takes of a step, and how long the step's frozen products take alone. */
final class ProfileReport {
    private final List<Entry> entries;
    private final int steps;
    private final int lanes;
    private final double alone;

    /**
     * Measures the products of a profile alone.
     *
     * @param steps how many steps it covers
     * @param lanes how many kernels ran side by side
     */
    ProfileReport(Backend backend, List<Entry> entries, int steps, int lanes) {
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
                ? Stream.of(
                        product,
                        new Product(product.tokens(), product.out(), product.in(), true, product.dtype()))
                : Stream.of(product);
    }

    /** Seconds a step that its frozen products take alone. */
    double floorSeconds() {
        return alone / steps / lanes;
    }

    /** The table, and beneath it the sums. */
    String text(double stepSeconds) {
        Table table = new Table("kernel", "of", "calls a step", "ms a step", "% of the step");
        double sum = 0;
        for (Entry entry : entries) {
            double seconds = entry.seconds() / steps / lanes;
            sum += seconds;
            table.row(
                    entry.kernel(),
                    entry.product().map(ProfileReport::describe).orElse(""),
                    entry.calls() / steps,
                    number(seconds * 1000),
                    number(100 * seconds / stepSeconds));
        }
        return table + System.lineSeparator()
                + "all kernels " + number(1000 * sum) + " ms of a step of " + number(1000 * stepSeconds)
                + " ms; its frozen products alone " + number(1000 * floorSeconds()) + " ms ("
                + number(100 * floorSeconds() / stepSeconds) + " %)" + System.lineSeparator()
                + "calls are those of all " + lanes + " lanes, times theirs on average" + System.lineSeparator();
    }

    private static String describe(Product product) {
        int from = product.transposed() ? product.out() : product.in();
        int to = product.transposed() ? product.in() : product.out();
        return product.dtype() + " " + product.tokens() + " x " + from + " -> " + to;
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }
}
