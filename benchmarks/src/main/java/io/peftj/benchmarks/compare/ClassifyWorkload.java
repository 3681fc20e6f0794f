package io.peftj.benchmarks.compare;

import com.google.gson.JsonObject;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Training of an encoder to classify a known data set. */
@Command(
        name = "classify",
        header = "Compares training a classifier on a known data set.",
        description =
                "Compares speed and accuracy on banking77, snips, e2e_nlg (price ranges) or BLiMP, a seed a round.")
final class ClassifyWorkload extends Workload {
    private static final String SCRIPT = "quality_peft.py";
    private static final String PEERS_DTYPE = "float32";

    @Mixin
    private final RecipeOptions recipe = new RecipeOptions(2e-3, 3);

    @Option(
            names = "--per-class",
            defaultValue = "0",
            paramLabel = "N",
            description = "Train on the first N rows of each class; 0 for all (default: ${DEFAULT-VALUE}).")
    private int perClass;

    ClassifyWorkload(Comparison comparison) {
        super(comparison, new CompareOptions(List.of("lora", "ia3", "prefix"), List.of(PEERS_DTYPE)));
    }

    @Override
    String name() {
        return "classify";
    }

    @Override
    List<Metric> metrics() {
        return List.of(
                Metric.more("examples_per_s", "examples/s", 1),
                Metric.more("accuracy", "accuracy on the test rows", 4),
                Metric.less("trainable", "trainable parameters", 0).notDrawn(),
                Metric.less("file_bytes", "bytes of the adapter's files", 0).notDrawn(),
                Metric.peakMemory().notDrawn());
    }

    @Override
    JsonObject settings() {
        JsonObject settings = options().settings(this);
        recipe.addTo(settings);
        settings.addProperty("per_class", perClass);
        return settings;
    }

    @Override
    String title() {
        return recipe.title() + (perClass == 0 ? "" : ", " + perClass + " rows a class");
    }

    @Override
    List<String> scripts() {
        return List.of(SCRIPT);
    }

    @Override
    Map<Side, Attempt> attempts(Case of, int round) {
        Words work = recipe.words(of, round).and("--per-class", perClass);
        Words ours = options().ours(this, of).and("--data", recipe.data()).and(work);
        Words peer = options()
                .peer(SCRIPT, of)
                .and("--base-dropout", 0)
                .and(work)
                .and(options().model(), recipe.data());
        Map<Side, Attempt> attempts = new EnumMap<>(Side.class);
        attempts.put(Side.OURS, new Attempt.Command(ours));
        attempts.put(
                Side.PEER,
                of.dtype().equals(PEERS_DTYPE)
                        ? new Attempt.Command(peer)
                        : new Attempt.Absent(SCRIPT + " computes in " + PEERS_DTYPE + " only"));
        if (options().floor(round)) {
            attempts.put(Side.FLOOR, new Attempt.Command(ours.and("--profile"), ClassifyWorkload::floor));
        }
        return attempts;
    }

    /** As many examples as the run had, in the time that its steps' frozen products take alone. */
    private static JsonObject floor(JsonObject line) {
        double examples = number(line, "examples_per_s") * number(line, "train_s");
        double seconds = number(line, "floor_s") * number(line, "steps");
        JsonObject floor = new JsonObject();
        if (seconds > 0) {
            floor.addProperty("examples_per_s", Math.round(examples / seconds * 10) / 10.0);
        }
        return floor;
    }

    private static double number(JsonObject line, String key) {
        return Metric.number(line, key).orElse(Double.NaN);
    }
}
