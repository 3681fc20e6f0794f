package io.peftj.djl.backbone;

/** Counts the calls that use something, so that closing waits for none and frees after the last. */
final class Lease {
    private final String what;
    private final Runnable free;
    private int users;
    private boolean closed;

    Lease(String what, Runnable free) {
        this.what = what;
        this.free = free;
    }

    synchronized void enter(String operation) {
        if (closed) {
            throw new IllegalStateException(operation + ": the " + what + " is closed");
        }
        users++;
    }

    void leave() {
        boolean last;
        synchronized (this) {
            users--;
            last = closed && users == 0;
        }
        if (last) {
            free.run();
        }
    }

    void close() {
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
