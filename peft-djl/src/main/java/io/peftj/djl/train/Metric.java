package io.peftj.djl.train;

import io.peftj.core.InvalidConfigException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A number that says how well an adapter does.
 *
 * @param name as files and options have it
 * @param higherIsBetter whether more of it is better; otherwise less is
 */
public record Metric(String name, boolean higherIsBetter) {
    /** The mean negative log-likelihood of what should be given. */
    public static final Metric LOSS = new Metric("loss", false);

    /** e to the loss: among how many equally likely tokens a language model hesitates on average. */
    public static final Metric PERPLEXITY = new Metric("perplexity", false);

    /** The share of rows whose likeliest class is theirs. */
    public static final Metric ACCURACY = new Metric("accuracy", true);

    /**
     * The mean over classes of F1 = 2 · precision · recall / (precision + recall), each class counting alike: those that a row has or was given, F1 being
     * 0 where none was right, as scikit-learn has it.
     */
    public static final Metric MACRO_F1 = new Metric("macro_f1", true);

    private static final Pattern RECALL = Pattern.compile("recall@([1-9][0-9]{0,8})");

    /** The share of a text's own positives that stand among the k most similar ones, averaged over texts. */
    public static Metric recallAt(int k) {
        if (k < 1) {
            throw new InvalidConfigException("recall at k: expected a k of at least 1, found " + k);
        }
        return new Metric("recall@" + k, true);
    }

    /**
     * The metric of a name.
     *
     * @throws InvalidConfigException if there is none, naming those there are
     */
    public static Metric of(String name) {
        Matcher recall = RECALL.matcher(name);
        if (recall.matches()) {
            return recallAt(Integer.parseInt(recall.group(1)));
        }
        return Stream.of(LOSS, PERPLEXITY, ACCURACY, MACRO_F1)
                .filter(metric -> metric.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new InvalidConfigException(
                        "the metric: expected one of " + List.of(LOSS, PERPLEXITY, ACCURACY, MACRO_F1)
                                + " or recall@k such as recall@5, found \"" + name + "\""));
    }

    @Override
    public String toString() {
        return name;
    }
}
