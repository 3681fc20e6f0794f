package io.peftj.djl.engine;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives memory that malloc keeps for later back to the system, now and then.
 *
 * <p>Batches of ever different numbers of tokens leave holes of every size, which glibc keeps: without this a process grows to several times what
 * is alive in it. It runs after so many bytes of results, so its cost of some ten milliseconds stays under a hundredth of the time that computing
 * them takes. Other systems' allocators do this by themselves.
 */
final class SpareMemory {
    private static final Logger LOGGER = LoggerFactory.getLogger(SpareMemory.class);
    private static final long PERIOD = 16L << 30;

    private final AtomicLong allocated = new AtomicLong();
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

    /** Counts a result and gives memory back when it is time. */
    void count(long bytes) {
        long now = allocated.addAndGet(bytes);
        if (now >= PERIOD && allocated.compareAndSet(now, 0)) {
            giveBack();
        }
    }

    /** Gives back what can be; whether anything could is not said by all systems. */
    boolean giveBack() {
        return trim != null && trim.invokeInt(new Object[] {0}) != 0;
    }
}
