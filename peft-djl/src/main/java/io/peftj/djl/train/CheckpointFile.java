package io.peftj.djl.train;

import com.google.gson.JsonObject;
import io.peftj.core.InvalidFileException;
import io.peftj.core.Library;
import io.peftj.core.io.AtomicFiles;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.io.Fingerprint;
import io.peftj.core.io.Json;
import io.peftj.core.io.Safetensors;
import io.peftj.core.io.SafetensorsWriter;
import io.peftj.core.io.StoredTensor;
import io.peftj.core.tensor.HostTensor;
import io.peftj.djl.train.Checkpoint.Best;
import io.peftj.djl.train.Checkpoint.Progress;
import io.peftj.djl.train.TrainableAdapter.State;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A checkpoint as a safetensors file: tensors {@code parameter/NAME}, {@code first_moment/NAME}, {@code second_moment/NAME} and {@code best/NAME}, all else in
 * the metadata, with a hash over both.
 */
final class CheckpointFile {
    private static final int VERSION = 1;
    private static final String STATE = "peftj_checkpoint";
    private static final String FINGERPRINT = "peftj_fingerprint";
    private static final String HASH = "peftj_hash";

    private static final String PARAMETER = "parameter/";
    private static final String FIRST = "first_moment/";
    private static final String SECOND = "second_moment/";
    private static final String BEST = "best/";

    /** Files up to this size are read rather than mapped: Windows replaces no file that is mapped. */
    private static final long MOST_IN_MEMORY = Integer.MAX_VALUE - 8L;

    private CheckpointFile() {}

    // ---- writing ----

    /** Replaces a file as a whole. */
    static void write(Path file, Checkpoint checkpoint) {
        List<StoredTensor> tensors = tensors(checkpoint);
        Map<String, String> metadata = new TreeMap<>();
        metadata.put("format", "pt");
        metadata.put("peftj_version", Library.version());
        metadata.put(FINGERPRINT, checkpoint.run().base().encode());
        metadata.put(STATE, Json.writeCompact(state(checkpoint)));
        metadata.put(HASH, hash(metadata, tensors));
        AtomicFiles.write(file, SafetensorsWriter.content(tensors, metadata));
    }

    private static List<StoredTensor> tensors(Checkpoint checkpoint) {
        List<StoredTensor> tensors = new ArrayList<>();
        checkpoint.parameters().forEach((name, state) -> {
            tensors.add(StoredTensor.f32(PARAMETER + name, state.parameter()));
            tensors.add(StoredTensor.f32(FIRST + name, state.first()));
            tensors.add(StoredTensor.f32(SECOND + name, state.second()));
        });
        Best best = checkpoint.progress().best();
        if (best != null) {
            best.stored().forEach((name, value) -> tensors.add(StoredTensor.f32(BEST + name, value)));
        }
        return tensors;
    }

    private static JsonObject state(Checkpoint checkpoint) {
        Progress progress = checkpoint.progress();
        JsonObject json = new JsonObject();
        json.addProperty("version", VERSION);
        json.addProperty("step", progress.step());
        json.addProperty("epoch", progress.epoch());
        json.addProperty("batches", progress.batches());
        json.addProperty("epoch_loss", progress.epochLoss());
        json.addProperty("last_loss", progress.lastLoss());
        json.addProperty("not_better", progress.notBetter());
        Best best = progress.best();
        json.add("best", best == null ? null : evaluation(best.result()));
        json.add("settings", texts(checkpoint.run().settings()));
        json.add("environment", texts(checkpoint.run().environment()));
        return json;
    }

    private static JsonObject evaluation(Evaluation result) {
        JsonObject json = new JsonObject();
        json.addProperty("loss", result.loss());
        json.addProperty("learnt", result.learnt());
        Map<String, String> scores = new LinkedHashMap<>(); // as texts, since a perplexity may be infinite
        result.scores().forEach((metric, value) -> scores.put(metric.name(), Double.toString(value)));
        json.add("scores", texts(scores));
        return json;
    }

    private static JsonObject texts(Map<String, String> texts) {
        JsonObject json = new JsonObject();
        texts.forEach(json::addProperty);
        return json;
    }

    private static String hash(Map<String, String> metadata, List<StoredTensor> tensors) {
        Digest digest = new Digest();
        metadata.forEach((key, text) -> digest.add(key).add(text));
        tensors.stream().sorted(Comparator.comparing(StoredTensor::name)).forEach(tensor -> {
            digest.add(tensor.name()).add(tensor.shape().toString());
            tensor.parts().forEach(digest::add);
        });
        return digest.hex();
    }

    // ---- reading ----

    /**
     * Reads a file.
     *
     * @throws InvalidFileException if it is damaged or lacks a part; the message says which
     */
    static Checkpoint read(Path file) {
        try (Safetensors tensors = open(file)) {
            return read(tensors);
        } catch (InvalidFileException e) {
            throw new InvalidFileException(
                    file + " cannot be resumed from: " + e.getMessage() + "; to begin anew, delete it", e);
        }
    }

    private static Safetensors open(Path file) {
        try {
            return Files.size(file) > MOST_IN_MEMORY
                    ? Safetensors.open(file)
                    : Safetensors.of(
                            ByteBuffer.wrap(Files.readAllBytes(file)),
                            file.getFileName().toString());
        } catch (IOException e) {
            throw new InvalidFileException("it could not be read (" + e + "); check its permissions and the disk", e);
        }
    }

    private static Checkpoint read(Safetensors file) {
        Map<String, String> metadata = new TreeMap<>(file.metadata());
        String recorded = metadata.remove(HASH);
        ConfigReader state = ConfigReader.of(Json.parse(text(metadata, STATE), STATE), STATE);
        if (state.requiredInt("version") != VERSION) {
            throw state.error("version", Integer.toString(VERSION), "use the version of the library that wrote it");
        }
        RunDescription run = new RunDescription(
                texts(state.requiredObject("settings")),
                texts(state.requiredObject("environment")),
                Fingerprint.decode(text(metadata, FINGERPRINT), FINGERPRINT));
        Checkpoint checkpoint = new Checkpoint(run, progress(state, file), parameters(file));
        if (!hash(metadata, file.names().stream().map(file::find).toList()).equals(recorded)) {
            throw new InvalidFileException("its content is not what was written, by the hash it carries");
        }
        return checkpoint;
    }

    private static String text(Map<String, String> metadata, String key) {
        String text = metadata.get(key);
        if (text == null) {
            throw new InvalidFileException("it lacks the part " + key + " of its metadata");
        }
        return text;
    }

    private static Progress progress(ConfigReader state, Safetensors file) {
        Best best = state.optionalObject("best")
                .map(result -> new Best(withPrefix(file, BEST), evaluation(result)))
                .orElse(null);
        return new Progress(
                (long) state.requiredDouble("step"),
                state.requiredInt("epoch"),
                state.requiredInt("batches"),
                state.requiredDouble("epoch_loss"),
                state.requiredDouble("last_loss"),
                state.requiredInt("not_better"),
                best);
    }

    private static Evaluation evaluation(ConfigReader json) {
        Map<Metric, Double> scores = new LinkedHashMap<>();
        texts(json.requiredObject("scores"))
                .forEach((metric, value) -> scores.put(Metric.of(metric), Double.valueOf(value)));
        return new Evaluation(json.requiredDouble("loss"), (long) json.requiredDouble("learnt"), scores);
    }

    private static Map<String, State> parameters(Safetensors file) {
        Map<String, HostTensor> parameters = withPrefix(file, PARAMETER);
        Map<String, HostTensor> first = withPrefix(file, FIRST);
        Map<String, HostTensor> second = withPrefix(file, SECOND);
        Set<String> names = new LinkedHashSet<>(parameters.keySet());
        names.addAll(first.keySet());
        names.addAll(second.keySet());
        Map<String, State> states = new LinkedHashMap<>();
        for (String name : names) {
            states.put(
                    name,
                    new State(part(parameters, PARAMETER, name), part(first, FIRST, name), part(second, SECOND, name)));
        }
        return states;
    }

    private static HostTensor part(Map<String, HostTensor> parts, String prefix, String name) {
        @Nullable HostTensor part = parts.get(name);
        if (part == null) {
            throw new InvalidFileException("it lacks the part " + prefix + name);
        }
        return part;
    }

    private static Map<String, HostTensor> withPrefix(Safetensors file, String prefix) {
        Map<String, HostTensor> found = new LinkedHashMap<>();
        for (String name : file.names()) {
            if (name.startsWith(prefix)) {
                found.put(name.substring(prefix.length()), file.find(name).toHostTensor());
            }
        }
        return found;
    }

    private static Map<String, String> texts(ConfigReader json) {
        Map<String, String> texts = new LinkedHashMap<>();
        json.keys().forEach(key -> texts.put(key, json.requiredString(key)));
        return texts;
    }
}
