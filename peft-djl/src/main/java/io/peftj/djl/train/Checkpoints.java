package io.peftj.djl.train;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Where a training keeps its checkpoint, and when it writes one: after every epoch, and where asked for after numbers of steps or spans of time. A training
 * that is cancelled writes one too.
 *
 * <p>The folder holds one file, {@code checkpoint.safetensors}, which is replaced as a whole: a process that is killed at any moment, or a machine that loses
 * power, leaves the old one or the new one. A resumed run gives, bit for bit, what the run would have given that nothing interrupted, on one kind of
 * processor with one number of threads.
 *
 * @param folder made where there is none
 * @param everySteps how many steps are taken between two checkpoints; 0 for no such rule
 * @param every how long to train between two checkpoints; null for no such rule
 * @param resuming whether to go on from the folder's checkpoint
 */
public record Checkpoints(
        Path folder, long everySteps, @Nullable Duration every, boolean resuming) {
    /** Checks the numbers. */
    public Checkpoints {
        if (everySteps < 0) {
            throw new IllegalArgumentException("steps between checkpoints: expected at least 1, found " + everySteps);
        }
        if (every != null && (every.isZero() || every.isNegative())) {
            throw new IllegalArgumentException("time between checkpoints: expected more than none, found " + every);
        }
    }

    /** Keeps a checkpoint after every epoch in a folder, which must not hold another run's. */
    public static Checkpoints in(Path folder) {
        return new Checkpoints(folder, 0, null, false);
    }

    /** And after every so many steps. */
    public Checkpoints everySteps(long steps) {
        return new Checkpoints(folder, steps, every, resuming);
    }

    /** And after the first step that ends so long after the last checkpoint. */
    public Checkpoints every(Duration time) {
        return new Checkpoints(folder, everySteps, time, resuming);
    }

    /** Goes on from the folder's checkpoint, which must be of a run with the same settings and data; begins at the beginning where there is none. */
    public Checkpoints resume() {
        return new Checkpoints(folder, everySteps, every, true);
    }
}
