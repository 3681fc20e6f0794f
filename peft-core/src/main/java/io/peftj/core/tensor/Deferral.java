package io.peftj.core.tensor;

/** A stretch of one thread's operations that a backend may put off, to do several at once. Closing it drops what is still put off. */
public interface Deferral extends AutoCloseable {
    /** That of a backend which computes everything at once. */
    Deferral NONE = () -> {};

    /** Computes what was put off, as far as its results are still wanted. */
    void catchUp();

    @Override
    default void close() {}
}
