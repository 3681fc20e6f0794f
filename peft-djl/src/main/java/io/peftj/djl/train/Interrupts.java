package io.peftj.djl.train;

import java.util.function.Supplier;

/** Lets work that must not stop half-way finish on an interrupted thread. */
final class Interrupts {
    private Interrupts() {}

    /** Runs without the thread's interruption, which is there again afterwards. */
    static <T> T deferred(Supplier<T> work) {
        boolean interrupted = Thread.interrupted();
        try {
            return work.get();
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
