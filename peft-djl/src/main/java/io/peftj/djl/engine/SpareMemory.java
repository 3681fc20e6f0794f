package io.peftj.djl.engine;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives memory that malloc keeps for later back to the system when the process has grown.
 *
 * <p>Batches of ever different numbers of tokens leave holes of every size, which glibc keeps: without this a process grows to several times what
 * is alive in it. Giving back costs up to half a second, since what is used again must be mapped again, so it waits for growth: a run whose
 * batches are alike never pays. Other systems' allocators do this by themselves.
 */
final class SpareMemory {
    private static final Logger LOGGER = LoggerFactory.getLogger(SpareMemory.class);

    /** Bytes of results after which growth is looked for: some tens of operations up to some seconds. */
    private static final long PERIOD = 4L << 30;

    /** Growth that is worth giving back, in bytes and as a part of what was held. */
    private static final long LEAST_GROWTH = 256L << 20;

    private static final long GROWTH_PART = 4;

    /** Bytes of weights after which what their making left is given back: it makes twice of what stays. */
    private static final long LOADED = 128L << 20;

    private static final long PAGE = 4096;

    private final AtomicLong allocated = new AtomicLong();
    private final AtomicLong loaded = new AtomicLong();
    private final AtomicLong held = new AtomicLong(Long.MAX_VALUE);
    private final @Nullable Function trim = find();

    private static @Nullable Function find() {
        if (!Platform.isLinux()) {
            return null;
        }
        try {
            return NativeLibrary.getInstance("c").getFunction("malloc_trim");
        } catch (UnsatisfiedLinkError e) {
            LOGGER.debug("this C library has no malloc_trim; spare memory stays with it", e);
            return null;
        }
    }

    /** Counts a result and gives memory back when the process has grown since the last time. */
    void count(long bytes) {
        long now = allocated.addAndGet(bytes);
        if (now >= PERIOD && allocated.compareAndSet(now, 0) && trim != null) {
            look(resident());
        }
    }

    /** Counts a weight that stays and gives back what making it and others left behind. */
    void loaded(long bytes) {
        long now = loaded.addAndGet(bytes);
        if (now >= LOADED && loaded.compareAndSet(now, 0)) {
            giveBack();
        }
    }

    /**
     * Gives memory back if there is enough more of it than before.
     *
     * @param resident bytes that the process holds now
     */
    private void look(long resident) {
        long before = held.get();
        if (before == Long.MAX_VALUE) {
            held.set(resident); // the first look is after the weights were loaded and a batch was computed
        } else if (resident > before + Math.max(LEAST_GROWTH, before / GROWTH_PART)) {
            giveBack();
            // What is still there is in use, or nobody can give it back: only what comes on top of it counts from now
            // on.
            held.set(Math.max(before, resident()));
        }
    }

    /** Gives back what can be; whether anything could is not said by all systems. */
    boolean giveBack() {
        return trim != null && trim.invokeInt(new Object[] {0}) != 0;
    }

    private static long resident() {
        try {
            String statm = Files.readString(Path.of("/proc/self/statm"), StandardCharsets.US_ASCII);
            return Long.parseLong(statm.split(" ", -1)[1]) * PAGE;
        } catch (IOException | NumberFormatException e) {
            LOGGER.debug("/proc/self/statm cannot be read; spare memory stays with the C library", e);
            return 0;
        }
    }
}
