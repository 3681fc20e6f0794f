package io.peftj.djl.train;

import io.peftj.core.IncompatibleAdapterException;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.InvalidFileException;
import io.peftj.core.PeftException;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.io.AtomicFiles;
import io.peftj.djl.train.TrainableAdapter.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The checkpoint of one run: found, compared, replaced when it is time. */
final class CheckpointStore {
    /** The file in the folder. */
    static final String NAME = "checkpoint.safetensors";

    private static final Logger LOG = LoggerFactory.getLogger(CheckpointStore.class);
    private static final int MOST_DIFFERENCES = 5;
    private static final int LONGEST_DIFFERENCE = 200;

    private final Checkpoints rules;
    private final Path file;
    private long lastStep;
    private long lastTime = System.nanoTime();

    private CheckpointStore(Checkpoints rules) {
        this.rules = rules;
        this.file = rules.folder().resolve(NAME);
    }

    /**
     * Finds out before any work whether there is a place for checkpoints.
     *
     * @throws PeftException if the folder cannot be made
     * @throws InvalidConfigException if it holds one, which the run is not to go on from
     */
    static CheckpointStore open(Checkpoints rules) {
        CheckpointStore store = new CheckpointStore(rules);
        if (!rules.resuming() && Files.exists(store.file)) {
            throw new InvalidConfigException(store.file + " is another run's checkpoint, which this run would replace;"
                    + " resume that run, name another folder, or delete the file");
        }
        try {
            Files.createDirectories(rules.folder());
        } catch (IOException e) {
            throw new PeftException(rules.folder() + " cannot hold checkpoints: " + e + "; name a folder", e);
        }
        AtomicFiles.deleteLeftovers(store.file);
        return store;
    }

    /**
     * The checkpoint that a run is to go on from; null where it begins at the beginning.
     *
     * @param parameters what the run trains
     * @throws InvalidFileException if it is damaged
     * @throws IncompatibleAdapterException if it is of another base
     * @throws InvalidConfigException if it is of a run with other settings or data; the message names them with both values
     */
    @Nullable
    Checkpoint find(RunDescription run, List<ParameterSpec> parameters) {
        if (!rules.resuming() || !Files.exists(file)) {
            return null;
        }
        Checkpoint checkpoint = CheckpointFile.read(file);
        checkBase(checkpoint.run(), run);
        checkSettings(checkpoint.run(), run);
        lastStep = checkpoint.progress().step();
        return new Checkpoint(checkpoint.run(), checkpoint.progress(), inOrder(checkpoint, parameters));
    }

    private void checkBase(RunDescription recorded, RunDescription now) {
        recorded.base().differenceFrom(now.base()).ifPresent(difference -> {
            throw new IncompatibleAdapterException(
                    file + " is of a run on another base model, " + difference + "; resume it with that model");
        });
    }

    private void checkSettings(RunDescription recorded, RunDescription now) {
        List<String> differences = now.settingsOtherwiseIn(recorded);
        if (!differences.isEmpty()) {
            throw new InvalidConfigException(file + " is of a run with other settings or data: " + list(differences)
                    + "; resume it with those it was begun with, or begin anew in another folder");
        }
        List<String> elsewhere = now.environmentOtherwiseIn(recorded);
        if (!elsewhere.isEmpty()) {
            LOG.warn(
                    "{} was written where {}: sums in single precision may differ, so the resumed run may not equal an"
                            + " uninterrupted one in every bit",
                    file,
                    list(elsewhere));
        }
    }

    private static String list(List<String> differences) {
        String shown = differences.stream()
                .limit(MOST_DIFFERENCES)
                .map(text -> text.length() <= LONGEST_DIFFERENCE ? text : text.substring(0, LONGEST_DIFFERENCE) + "…")
                .collect(Collectors.joining(", "));
        int more = differences.size() - MOST_DIFFERENCES;
        return more > 0 ? shown + ", and " + more + " more" : shown;
    }

    /** The states of the run's parameters: as the plan lists them, none missing, none more, each of the right shape. */
    private Map<String, State> inOrder(Checkpoint checkpoint, List<ParameterSpec> parameters) {
        Map<String, State> found = new LinkedHashMap<>(checkpoint.parameters());
        Map<String, State> ordered = new LinkedHashMap<>();
        for (ParameterSpec parameter : parameters) {
            State state = found.remove(parameter.name());
            if (state == null || !state.parameter().shape().equals(parameter.shape())) {
                throw new InvalidFileException(file + " cannot be resumed from: expected the parameter "
                        + parameter.name() + " " + parameter.shape() + ", found "
                        + (state == null ? "none" : state.parameter().shape())
                        + "; use the version of the library that wrote it, or delete it to begin anew");
            }
            ordered.put(parameter.name(), state);
        }
        if (!found.isEmpty()) {
            throw new InvalidFileException(file + " cannot be resumed from: it has the parameters " + found.keySet()
                    + " too; use the version of the library that wrote it, or delete it to begin anew");
        }
        return ordered;
    }

    /** Whether a rule wants a checkpoint now. */
    boolean isDue(long step) {
        Duration every = rules.every();
        return (rules.everySteps() > 0 && step - lastStep >= rules.everySteps())
                || (every != null && System.nanoTime() - lastTime >= every.toNanos());
    }

    /** Replaces the checkpoint, and says in which folder. */
    Path write(Checkpoint checkpoint) {
        CheckpointFile.write(file, checkpoint);
        lastStep = checkpoint.progress().step();
        lastTime = System.nanoTime();
        return rules.folder();
    }
}
