package io.peftj.core.tensor;

import java.util.ArrayList;
import java.util.List;

/**
 * The keys and values that rows of a decoder have seen so far, kept between passes and written in place: a slot a row, in every layer
 * [slots, kv heads, capacity, head dim] of each.
 *
 * <p>It holds tokens alone; what adapters put before rows stays theirs. Which places of a slot are in use, a {@link CacheLayout} says. Whoever opens it
 * closes it.
 */
public final class KeyValueCache implements AutoCloseable {
    private final Backend backend;
    private final Shape shape;
    private final DType dtype;
    private final List<Constant> keys = new ArrayList<>();
    private final List<Constant> values = new ArrayList<>();
    private final SlotVectors vectors = new SlotVectors();

    private KeyValueCache(Backend backend, Shape shape, DType dtype) {
        this.backend = backend;
        this.shape = shape;
        this.dtype = dtype;
    }

    /**
     * An empty cache.
     *
     * @param shape [slots, kv heads, capacity, head dim] of a layer's keys, and of its values
     * @param dtype the format that the model computes in
     */
    public static KeyValueCache open(Backend backend, int layers, Shape shape, DType dtype) {
        if (shape.rank() != 4) {
            throw new IllegalArgumentException(
                    "a cache has shape [slots, kv heads, capacity, head dim], found shape " + shape);
        }
        KeyValueCache cache = new KeyValueCache(backend, shape, dtype);
        return backend.call(() -> {
            try {
                for (int layer = 0; layer < layers; layer++) {
                    cache.keys.add(cache.zeros());
                    cache.values.add(cache.zeros());
                }
                return cache;
            } catch (RuntimeException e) {
                cache.close();
                throw e;
            }
        });
    }

    private Constant zeros() {
        return Constant.owning(backend.kernels().zeros(shape, dtype), shape, dtype);
    }

    /** The shape of one layer's keys: [slots, kv heads, capacity, head dim]. */
    public Shape shape() {
        return shape;
    }

    /** The rows that have a place at once. */
    public int slots() {
        return shape.dim(0);
    }

    /** The most tokens of a row. */
    public int capacity() {
        return shape.dim(2);
    }

    /**
     * Writes the keys and values of a layer's tokens behind those that their rows have already.
     *
     * @param k [tokens, kv heads, head dim], of which no gradient is wanted
     * @param v like k
     */
    public void store(int layer, Tensor k, Tensor v, CacheLayout rows) {
        String operation = "store";
        check(operation, rows);
        Ops.kernels(operation, k, v);
        Ops.checkShape(operation, "keys", k, Shape.of(rows.queries().tokens(), shape.dim(1), shape.dim(3)));
        Ops.checkShape(operation, "values", v, k.shape());
        Ops.check(k.dtype() == dtype, operation, () -> "the keys are " + k.dtype() + ", the cache " + dtype);
        refuseGradients(operation, k, v);
        backend.updates().store(keys.get(layer), values.get(layer), k, v, rows);
    }

    /** What else rows keep, by their slots; closed with the cache. */
    public SlotVectors vectors() {
        return vectors;
    }

    Constant keys(int layer) {
        return keys.get(layer);
    }

    Constant values(int layer) {
        return values.get(layer);
    }

    DType dtype() {
        return dtype;
    }

    /** Refuses rows that have no place here. */
    void check(String operation, CacheLayout rows) {
        if (keys.isEmpty()) {
            throw new IllegalStateException(operation + ": the key-value cache is closed");
        }
        for (int r = 0; r < rows.queries().rows(); r++) {
            int row = r;
            int all = rows.before(row) + rows.queries().length(row);
            Ops.check(
                    rows.slot(row) < slots() && all <= capacity(),
                    operation,
                    () -> "row " + row + " of " + all + " tokens in slot " + rows.slot(row)
                            + " does not fit a cache of " + slots() + " slots for " + capacity() + " tokens each");
        }
    }

    /** A tape cannot look through what is written in place. */
    static void refuseGradients(String operation, Tensor... inputs) {
        for (Tensor input : inputs) {
            if (input.origin().isTracked()) {
                throw new IllegalStateException(operation
                        + ": no gradient flows through a key-value cache; train with whole rows, without one");
            }
        }
    }

    @Override
    public void close() {
        backend.callUninterrupted(() -> {
            keys.forEach(Constant::close);
            values.forEach(Constant::close);
            vectors.close();
            keys.clear();
            values.clear();
            return Boolean.TRUE;
        });
    }
}
