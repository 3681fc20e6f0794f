package io.peftj.testkit.reference;

import io.peftj.core.PeftException;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.BackendInfo;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Encoding;
import io.peftj.core.tensor.FusedWeight;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Kernels;
import io.peftj.core.tensor.LinearAlgebra;
import io.peftj.core.tensor.MemoryMeter;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Updates;
import io.peftj.core.tensor.Weight;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/**
 * The arithmetic of the vocabulary in plain Java over {@code double[]}: slow, readable, and without a line in common with an engine.
 *
 * <p>Tasks run on the calling thread. Memory is counted in doubles, whatever the format. Safe to share between threads.
 */
public final class ReferenceBackend implements Backend {
    private final MemoryMeter memory = new MemoryMeter();
    private final Store store;
    private final Kernels kernels;
    private final Updates updates;

    private ReferenceBackend(boolean rounding) {
        store = new Store(memory, rounding);
        kernels = new ReferenceKernels(store);
        updates = new ReferenceUpdates(store);
    }

    /** A backend that keeps full doubles whatever a value's format says, so that finite differences see no rounding. */
    public static ReferenceBackend exact() {
        return new ReferenceBackend(false);
    }

    /** A backend that computes in doubles and rounds every result to its format, for comparison with an engine. */
    public static ReferenceBackend rounding() {
        return new ReferenceBackend(true);
    }

    @Override
    public Kernels kernels() {
        return kernels;
    }

    @Override
    public BackendInfo info() {
        return new BackendInfo("the reference in plain Java", "cpu", 1);
    }

    @Override
    public MemoryMeter memory() {
        return memory;
    }

    @Override
    public LinearAlgebra linearAlgebra() {
        return EjmlLinearAlgebra.INSTANCE;
    }

    @Override
    public Updates updates() {
        return updates;
    }

    @Override
    public <T> T call(Callable<T> task) {
        try {
            return task.call();
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new PeftException("a task on the reference backend failed: " + e.getMessage(), e);
        }
    }

    @Override
    public Weight weight(HostTensor values, DType dtype) {
        return weight(Store.doubles(values.values()), values.shape(), dtype);
    }

    @Override
    public Weight weight(ByteBuffer bytes, Encoding encoding, Shape shape, DType dtype) {
        if (bytes.remaining() != shape.size() * encoding.bytes()) {
            throw new IllegalArgumentException("a weight " + shape + " in " + encoding + " needs "
                    + shape.size() * encoding.bytes() + " bytes, found " + bytes.remaining());
        }
        return weight(Encodings.decode(bytes, encoding), shape, dtype);
    }

    private Weight weight(double[] values, Shape shape, DType dtype) {
        if (shape.rank() != 2) {
            throw new IllegalArgumentException("a weight is a matrix [out, in], found shape " + shape);
        }
        return new ReferenceWeight(store.keep(new Array(shape, values), dtype));
    }

    /** {@inheritDoc} The parts stay matrices of their own. */
    @Override
    public FusedWeight fuse(List<Weight> weights) {
        Array[] parts = weights.stream()
                .map(weight -> ReferenceWeight.of(weight).array())
                .toArray(Array[]::new);
        int out = weights.stream().mapToInt(Weight::outFeatures).sum();
        double[] values = Stream.of(parts)
                .flatMapToDouble(part -> DoubleStream.of(part.values()))
                .toArray();
        Weight first = weights.get(0);
        return new FusedWeight(weight(values, Shape.of(out, first.inFeatures()), first.dtype()), weights);
    }

    @Override
    public HostTensor dense(Weight weight) {
        Array array = ReferenceWeight.of(weight).array();
        return HostTensor.of(array.shape(), Store.floats(array.values()));
    }

    @Override
    public void free(Weight weight) {
        ReferenceWeight.of(weight).buffer().release();
    }

    @Override
    public void close() {
        // There are no threads, and the garbage collector frees doubles.
    }
}
