package io.peftj.djl.train.report;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.peftj.djl.train.Evaluation;
import io.peftj.djl.train.TrainingEvent;
import java.math.BigDecimal;
import java.math.MathContext;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What happened in a run, in a few hundred numbers however long it is; as JSON in the report, so that a resumed run's report has all of it. */
final class History {
    private static final int VERSION = 1;
    private static final MathContext DIGITS = new MathContext(9);

    private final Buckets buckets = new Buckets();
    private final List<Evaluated> evaluations = new ArrayList<>();
    private final List<Long> ends = new ArrayList<>();
    private Duration before = Duration.ZERO;
    private Duration elapsed = Duration.ZERO;
    private long missing;
    private int epochs;

    /** An evaluation; its scores by name, the loss first. */
    record Evaluated(int epoch, long step, boolean best, Map<String, Double> scores) {
        Evaluated {
            scores = Collections.unmodifiableMap(new LinkedHashMap<>(scores));
        }
    }

    Buckets buckets() {
        return buckets;
    }

    List<Evaluated> evaluations() {
        return List.copyOf(evaluations);
    }

    /** The evaluation that the run's adapter comes from; null before the first. */
    @Nullable
    Evaluated best() {
        Evaluated best = null;
        for (Evaluated evaluated : evaluations) {
            best = evaluated.best() ? evaluated : best;
        }
        return best;
    }

    /** The steps that epochs ended with. */
    List<Long> ends() {
        return List.copyOf(ends);
    }

    /** How many epochs are over. */
    int epochs() {
        return epochs;
    }

    /** Since the start, interruptions left out. */
    Duration elapsed() {
        return before.plus(elapsed);
    }

    /** How many steps are not known, since no report was written between them and an interruption. */
    long missing() {
        return missing;
    }

    // ---- what happens ----

    /** Goes on from a checkpoint; what is told again is known already. */
    void resume(TrainingEvent.Resumed event) {
        missing += Math.max(0, event.step() - buckets.lastStep());
        epochs = event.epoch() - 1;
        before = elapsed();
        elapsed = Duration.ZERO;
    }

    void add(TrainingEvent.Step event, double resident) {
        elapsed = event.elapsed();
        if (event.step() <= buckets.lastStep()) {
            return;
        }
        Map<Quantity, Stat> stats = new EnumMap<>(Quantity.class);
        stats.put(Quantity.LOSS, Stat.of(event.loss(), 1));
        stats.put(Quantity.LEARNING_RATE, Stat.of(event.learningRate(), 1));
        stats.put(Quantity.GRADIENT_NORM, Stat.of(event.gradientNorm(), 1));
        double seconds = Math.max(1, event.took().toNanos()) / 1e9;
        stats.put(Quantity.TOKENS_PER_SECOND, Stat.of(event.tokens() / seconds, seconds));
        stats.put(Quantity.NATIVE_BYTES, Stat.of((double) event.nativeBytes(), 1));
        if (resident > 0) {
            stats.put(Quantity.RESIDENT_BYTES, Stat.of(resident, 1));
        }
        buckets.add(new Bucket(event.step(), event.step(), stats));
    }

    void add(TrainingEvent.Evaluated event) {
        if (evaluations.stream().noneMatch(known -> known.epoch() == event.epoch())) {
            evaluations.add(new Evaluated(event.epoch(), event.step(), event.best(), scores(event.result())));
        }
    }

    private static Map<String, Double> scores(Evaluation result) {
        Map<String, Double> scores = new LinkedHashMap<>();
        scores.put("loss", result.loss());
        result.scores().forEach((metric, value) -> scores.put(metric.name(), value));
        return scores;
    }

    void add(TrainingEvent.Epoch event) {
        elapsed = event.elapsed();
        epochs = event.epoch();
        if (ends.isEmpty() || ends.get(ends.size() - 1) < buckets.lastStep()) {
            ends.add(buckets.lastStep());
        }
    }

    void end(Duration since) {
        elapsed = since;
    }

    // ---- as JSON ----

    JsonObject json() {
        JsonObject json = new JsonObject();
        json.addProperty("version", VERSION);
        json.addProperty("width", buckets.width());
        json.addProperty("elapsed", elapsed().toMillis());
        json.addProperty("missing", missing);
        JsonArray steps = new JsonArray();
        buckets.all().forEach(bucket -> steps.add(json(bucket)));
        json.add("steps", steps);
        JsonArray evaluated = new JsonArray();
        evaluations.forEach(each -> evaluated.add(json(each)));
        json.add("evaluations", evaluated);
        JsonArray epochs = new JsonArray();
        ends.forEach(epochs::add);
        json.add("epochs", epochs);
        return json;
    }

    private static JsonObject json(Bucket bucket) {
        JsonObject json = new JsonObject();
        json.addProperty("first", bucket.first());
        json.addProperty("last", bucket.last());
        bucket.stats().forEach((quantity, stat) -> {
            JsonArray numbers = new JsonArray();
            for (double number : new double[] {stat.min(), stat.max(), stat.weight(), stat.sum()}) {
                numbers.add(rounded(number));
            }
            json.add(quantity.name(), numbers);
        });
        return json;
    }

    private static JsonObject json(Evaluated evaluated) {
        JsonObject json = new JsonObject();
        json.addProperty("epoch", evaluated.epoch());
        json.addProperty("step", evaluated.step());
        json.addProperty("best", evaluated.best());
        JsonObject scores = new JsonObject();
        evaluated.scores().forEach((name, value) -> scores.addProperty(name, Double.isFinite(value) ? value : null));
        json.add("scores", scores);
        return json;
    }

    /**
     * What {@link #json} wrote.
     *
     * @throws RuntimeException of any kind if it is not that
     */
    static History of(JsonObject json) {
        History history = new History();
        if (json.get("version").getAsInt() != VERSION) {
            throw new IllegalArgumentException("another version");
        }
        List<Bucket> steps = new ArrayList<>();
        json.getAsJsonArray("steps").forEach(step -> steps.add(bucket(step.getAsJsonObject())));
        history.buckets.restore(json.get("width").getAsLong(), steps);
        json.getAsJsonArray("evaluations").forEach(each -> history.evaluations.add(evaluated(each.getAsJsonObject())));
        json.getAsJsonArray("epochs").forEach(end -> history.ends.add(end.getAsLong()));
        history.elapsed = Duration.ofMillis(json.get("elapsed").getAsLong());
        history.missing = json.get("missing").getAsLong();
        return history;
    }

    private static Bucket bucket(JsonObject json) {
        Map<Quantity, Stat> stats = new EnumMap<>(Quantity.class);
        for (Quantity quantity : Quantity.values()) {
            JsonArray numbers = json.getAsJsonArray(quantity.name());
            if (numbers != null) {
                double[] n = numbers.asList().stream()
                        .mapToDouble(JsonElement::getAsDouble)
                        .toArray();
                stats.put(quantity, new Stat(n[0], n[1], n[2], n[3]));
            }
        }
        return new Bucket(json.get("first").getAsLong(), json.get("last").getAsLong(), stats);
    }

    private static Evaluated evaluated(JsonObject json) {
        Map<String, Double> scores = new LinkedHashMap<>();
        json.getAsJsonObject("scores")
                .entrySet()
                .forEach(score -> scores.put(
                        score.getKey(),
                        score.getValue().isJsonNull()
                                ? Double.POSITIVE_INFINITY
                                : score.getValue().getAsDouble()));
        return new Evaluated(
                json.get("epoch").getAsInt(),
                json.get("step").getAsLong(),
                json.get("best").getAsBoolean(),
                scores);
    }

    private static Number rounded(double number) {
        double rounded = new BigDecimal(number, DIGITS).doubleValue();
        boolean whole = rounded == Math.rint(rounded) && Math.abs(rounded) < 1e15;
        return whole ? (Number) (long) rounded : (Number) rounded;
    }
}
