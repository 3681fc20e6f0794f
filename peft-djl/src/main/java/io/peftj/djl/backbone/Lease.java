package io.peftj.djl.backbone;

/** Counts the calls that use something, so that closing waits for none and frees after the last. Thread-safe. */
public final class Lease implements AutoCloseable {
    private final String what;
    private final Runnable free;
    private int users;
    private boolean closed;

    /**
     * A lease of something that is open.
     *
     * @param what its kind, for messages
     * @param free gives it back; called once, on the thread of the last use
     */
    public Lease(String what, Runnable free) {
        this.what = what;
        this.free = free;
    }

    /**
     * Begins a use, which {@link #leave()} ends.
     *
     * @throws IllegalStateException if it is closed
     */
    public synchronized void enter(String operation) {
        if (closed) {
            throw new IllegalStateException(operation + ": the " + what + " is closed");
        }
        users++;
    }

    /** Ends a use. */
    public void leave() {
        boolean last;
        synchronized (this) {
            users--;
            last = closed && users == 0;
        }
        if (last) {
            free.run();
        }
    }

    /** Refuses new uses, and frees now or after the last one. */
    @Override
    public void close() {
        boolean now;
        synchronized (this) {
            now = !closed && users == 0;
            closed = true;
        }
        if (now) {
            free.run();
        }
    }
}
