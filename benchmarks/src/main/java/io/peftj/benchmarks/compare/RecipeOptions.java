package io.peftj.benchmarks.compare;

import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import picocli.CommandLine.Option;

/** How a known data set is learnt. */
final class RecipeOptions {
    private static final List<String> LOW_RANK = List.of("lora", "lora-all", "dora");
    private static final double OTHERS = 1e-2;

    private final double lowRank;

    @Option(
            names = "--data",
            required = true,
            paramLabel = "DIR",
            description = "The data set's folder, as its publishers lay it out.")
    private Path data;

    @Option(
            names = "--epochs",
            paramLabel = "N",
            description = "Times to go through the training rows (default: ${DEFAULT-VALUE}).")
    private int epochs;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "N",
            description = "The first round's seed; each round adds 1 (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = "--lr",
            split = ",",
            paramLabel = "METHOD=RATE",
            description = "The learning rate of a method, once for each or with commas between them.")
    private final Map<String, Double> rates = new LinkedHashMap<>();

    /**
     * What is usual for a workload.
     *
     * @param lowRank the learning rate of LoRA and its like; that of others is 0.01
     */
    RecipeOptions(double lowRank, int epochs) {
        this.lowRank = lowRank;
        this.epochs = epochs;
    }

    Path data() {
        return data;
    }

    /** What both sides are told of it. */
    Words words(Case of, int round) {
        double usual = LOW_RANK.contains(of.method()) ? lowRank : OTHERS;
        return Words.of("--epochs", epochs, "--seed", seed + round - 1)
                .and("--lr", rates.getOrDefault(of.method(), usual));
    }

    void addTo(JsonObject settings) {
        settings.addProperty("data", CompareOptions.nameOf(data));
        settings.addProperty("epochs", epochs);
        settings.addProperty("seed", seed);
        JsonObject all = new JsonObject();
        Map<String, Double> sorted = new TreeMap<>(rates);
        LOW_RANK.forEach(method -> sorted.putIfAbsent(method, lowRank));
        sorted.putIfAbsent("others", OTHERS);
        sorted.forEach(all::addProperty);
        settings.add("lr", all);
    }

    /** In a few words. */
    String title() {
        return CompareOptions.nameOf(data) + ", " + epochs + (epochs == 1 ? " epoch" : " epochs");
    }
}
