package io.peftj.core.tensor;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/**
 * What computes: native kernels on a device, or plain Java as a reference.
 *
 * <p>A backend owns the threads its kernels run on. Sessions are opened inside {@link #call} and stay on that thread.
 */
public interface Backend extends AutoCloseable {
    /** The arithmetic. */
    Kernels kernels();

    /** What it computes with. */
    BackendInfo info();

    /** What is alive in this backend's memory. */
    MemoryMeter memory();

    /** Decompositions of matrices, computed on this backend. */
    LinearAlgebra linearAlgebra();

    /** The optimiser's step and the other things that write in place. */
    Updates updates();

    /**
     * Runs a task on one of the backend's threads and waits for it.
     *
     * @throws RuntimeException what the task threw; a checked exception comes wrapped in a PeftException
     * @throws java.util.concurrent.CancellationException if the calling thread is interrupted while it waits; the task stops at its next check
     */
    <T> T call(Callable<T> task);

    /**
     * {@link #call} on a thread that may be interrupted, for what must happen all the same, such as freeing memory; the interruption is there again
     * afterwards.
     */
    default <T> T callUninterrupted(Callable<T> task) {
        boolean interrupted = Thread.interrupted();
        try {
            return call(task);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** How many tasks of one {@link #callAll} are computed at once. */
    default int lanes() {
        return 1;
    }

    /**
     * Runs tasks that do not depend on each other side by side, each with a session of its own, and waits for all of them. When one fails the others
     * are stopped at their next check.
     *
     * @return what each task gave, in order
     * @throws RuntimeException what the first failed task threw, after all have ended
     */
    default <T> List<T> callAll(List<Callable<T>> tasks) {
        List<T> results = new ArrayList<>();
        for (Callable<T> task : tasks) {
            results.add(call(task));
        }
        return results;
    }

    /** Makes a frozen matrix [out, in] of row-major values. */
    Weight weight(HostTensor values, DType dtype);

    /**
     * Makes a frozen matrix [out, in] of a file's bytes without a copy in Java's heap.
     *
     * @param bytes little-endian, row-major, exactly the shape's elements
     */
    Weight weight(ByteBuffer bytes, Encoding encoding, Shape shape, DType dtype);

    /** Makes a frozen matrix whose rows are looked up by number and which is seldom multiplied with: an embedding. */
    default Weight table(HostTensor values, DType dtype) {
        return weight(values, dtype);
    }

    /** Makes a frozen matrix whose rows are looked up by number of a file's bytes, like {@link #weight(ByteBuffer, Encoding, Shape, DType)}. */
    default Weight table(ByteBuffer bytes, Encoding encoding, Shape shape, DType dtype) {
        return weight(bytes, encoding, shape, dtype);
    }

    /**
     * Puts frozen matrices of one width and format below each other, and takes them over.
     *
     * @return the whole and its parts, each of which wants to be freed
     */
    FusedWeight fuse(List<Weight> weights);

    /** The values of a frozen matrix [out, in]. */
    HostTensor dense(Weight weight);

    /** Frees a frozen matrix. */
    void free(Weight weight);

    /** Gives memory that is kept for later back to the system, as far as it lets; for moments after which less is needed, such as after loading a model. */
    default void trim() {}

    /** Frees the threads and what the backend itself holds. */
    @Override
    void close();

    /**
     * Begins a stretch of the current thread's operations that may be put off and done several at once; until it is closed, results need not be
     * there before they are read.
     */
    default Deferral defer() {
        return Deferral.NONE;
    }
}
