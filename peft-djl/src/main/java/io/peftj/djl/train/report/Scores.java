package io.peftj.djl.train.report;

import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** How evaluations' scores are named and written. */
final class Scores {
    private static final String LOSS = "loss";
    /** Those that are not shares of 1. */
    private static final Set<String> NUMBERS = Set.of(LOSS, "perplexity");

    private Scores() {}

    /** The score that says most: the first that is not the loss, or the loss. */
    static Map.Entry<String, Double> foremost(History.Evaluated evaluated) {
        return evaluated.scores().entrySet().stream()
                .filter(score -> !score.getKey().equals(LOSS))
                .findFirst()
                .orElseGet(() -> Map.entry(LOSS, evaluated.scores().getOrDefault(LOSS, Double.NaN)));
    }

    static boolean isShare(String name) {
        return !NUMBERS.contains(name);
    }

    static String text(String name) {
        return name.toLowerCase(Locale.ROOT).replace('_', ' ').replace("f1", "F1");
    }

    static String value(String name, double value) {
        return isShare(name) ? Texts.percent(value) : Texts.fixed(value);
    }
}
