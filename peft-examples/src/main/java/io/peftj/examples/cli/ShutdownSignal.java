package io.peftj.examples.cli;

import java.util.concurrent.CountDownLatch;

/** Knows when the process is asked to end, by Ctrl-C or a signal, and holds that up until work has stopped in good order. */
final class ShutdownSignal implements AutoCloseable {
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final Thread hook = new Thread(this::waitForWork, "stop in good order");
    private volatile boolean given;

    private ShutdownSignal() {}

    /** Listens until it is closed. */
    static ShutdownSignal listen() {
        ShutdownSignal signal = new ShutdownSignal();
        Runtime.getRuntime().addShutdownHook(signal.hook);
        return signal;
    }

    /** Whether the process was asked to end. */
    boolean isGiven() {
        return given;
    }

    private void waitForWork() {
        given = true;
        try {
            stopped.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // ends at once, then
        }
    }

    /** Lets the process end, if it is to. */
    @Override
    public void close() {
        stopped.countDown();
        if (!given) {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException e) {
                // The process has begun to end since; the hook waits no more.
            }
        }
    }
}
