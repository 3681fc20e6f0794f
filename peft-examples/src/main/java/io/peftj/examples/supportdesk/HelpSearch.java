package io.peftj.examples.supportdesk;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.djl.backbone.AdapterLoader;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.serve.Embedder;
import io.peftj.djl.train.AdapterTrainer;
import io.peftj.djl.train.ProgressBar;
import io.peftj.djl.train.Tasks;
import io.peftj.djl.train.TextPair;
import io.peftj.methods.lora.LoraConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Teaches MiniLM to find the help article for a customer's message: trains on pairs of a message and its article, measures how often the right article comes
 * first before and after, saves the adapter, opens it on a new copy of the model and searches for three messages it has not seen, among articles it has not
 * seen too.
 *
 * <p>Usage: {@code HelpSearch [FOLDER]}, where the adapter is saved; "help-search-adapter" by default.
 */
public final class HelpSearch {
    private static final List<String> NEW_ARTICLES =
            List.of("Changing the address that we deliver to", "What to do when you have forgotten your password");
    private static final List<String> NEW_MESSAGES = List.of(
            "Please put two hundred of my savings into the current account, I need it for the rent.",
            "The kettle on my doorstep isn't mine, I never bought one from you.",
            "I'm moving next week, please bring the parcel to my new flat.");

    private HelpSearch() {}

    /** Runs the example. */
    public static void main(String... args) {
        Path folder = Path.of(args.length > 0 ? args[0] : "help-search-adapter");
        List<String> articles = Messages.articles();
        try (Backbone base = SupportDesk.miniLm()) {
            try (Embedder embedder = Embedder.of(base)) {
                report("before", embedder, articles);
            }
            Adapter adapter = AdapterTrainer.on(base)
                    .method(LoraConfig.builder().rank(8).alpha(16).build())
                    .task(Tasks.embedding().recallAt(1, 3))
                    .learningRate(4e-3)
                    .batchSize(32)
                    .epochs(8)
                    .listener(ProgressBar.toStderr())
                    .fit(Messages.withArticles("train"), Messages.withArticles("validation"));
            try (Embedder embedder = Embedder.of(base, adapter)) {
                report("after ", embedder, articles);
            }
            AdapterFiles.save(adapter, folder);
            System.out.println("saved to " + folder);
        }
        List<String> more =
                Stream.of(articles, NEW_ARTICLES).flatMap(List::stream).toList();
        try (Backbone base = SupportDesk.miniLm();
                Embedder embedder = Embedder.of(base, AdapterLoader.load(folder, base))) {
            for (String message : NEW_MESSAGES) {
                System.out.printf(
                        "%s%n  -> %s%n",
                        message, search(embedder, message, more).get(0));
            }
        }
    }

    private static void report(String when, Embedder embedder, List<String> articles) {
        List<TextPair> test = Messages.withArticles("test");
        List<Integer> places = new ArrayList<>();
        for (TextPair pair : test) {
            places.add(search(embedder, pair.anchor(), articles).indexOf(pair.positive()));
        }
        System.out.printf(
                "%s: the right article comes first for %s of %d test messages, among the first three for %s%n",
                when, SupportDesk.percent(share(places, 1)), test.size(), SupportDesk.percent(share(places, 3)));
    }

    private static double share(List<Integer> places, int first) {
        return places.stream()
                .mapToInt(place -> place < first ? 1 : 0)
                .average()
                .orElseThrow();
    }

    /** The articles, the most similar one first. */
    private static List<String> search(Embedder embedder, String message, List<String> articles) {
        Embedder units = embedder.normalised();
        float[] wanted = units.embed(message);
        List<float[]> vectors = units.embed(articles);
        return IntStream.range(0, articles.size())
                .boxed()
                .sorted(Comparator.comparingDouble(i -> -cosine(wanted, vectors.get(i))))
                .map(articles::get)
                .toList();
    }

    private static double cosine(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}
