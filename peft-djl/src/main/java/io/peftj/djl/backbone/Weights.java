package io.peftj.djl.backbone;

import io.peftj.core.InvalidFileException;
import io.peftj.core.io.StoredTensor;
import io.peftj.core.io.TensorSource;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Encoding;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Weight;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Takes a model's tensors from a file into a backend, checks their shapes, and owns what it made. Used on a thread of the backend. */
public final class Weights implements AutoCloseable {
    private final @Nullable TensorSource source;
    private final @Nullable Weights under;
    private final Backend backend;
    private final DType dtype;
    private final Map<String, Weight> matrices = new HashMap<>();
    private final Map<String, Constant> vectors = new HashMap<>();

    /** Weights of a file, computed with in the given format. */
    public Weights(TensorSource source, Backend backend, DType dtype) {
        this(source, null, backend, dtype);
    }

    private Weights(@Nullable TensorSource source, @Nullable Weights under, Backend backend, DType dtype) {
        this.source = source;
        this.under = under;
        this.backend = backend;
        this.dtype = dtype;
    }

    /** The format that the model computes in. */
    public DType dtype() {
        return dtype;
    }

    /** Weights of which some are replaced and the others shared; the ones below stay with their owner. */
    Weights over(Map<String, HostTensor> replaced) {
        Weights over = new Weights(null, this, backend, dtype);
        replaced.forEach((name, value) -> {
            if (value.shape().rank() == 2) {
                over.matrices.put(name, backend.weight(value, dtype));
            } else {
                over.vectors.put(name, Constant.of(backend, value, dtype));
            }
        });
        return over;
    }

    /** Names of all that was put in the place of a file's. */
    Set<String> replaced() {
        Set<String> names = new HashSet<>();
        for (Weights each = this; each != null && each.source == null; each = each.under) {
            names.addAll(each.matrices.keySet());
            names.addAll(each.vectors.keySet());
        }
        return names;
    }

    /** Whether a matrix was put in the place of the file's, or of none. */
    public boolean replaces(String name) {
        return source == null && matrices.containsKey(name);
    }

    /**
     * A site's matrix [out, in].
     *
     * @throws InvalidFileException if it is missing or has another shape
     */
    public Weight matrix(Site site) {
        return site.fanInFanOut()
                ? once(site.weightName(), below -> below.matrix(site), () -> backend.weight(turned(site), dtype))
                : matrix(site.weightName(), site.out(), site.in());
    }

    /** A matrix by name; the same one when asked again. */
    public Weight matrix(String name, int out, int in) {
        return once(
                name,
                below -> below.matrix(name, out, in),
                () -> load(stored(name, Shape.of(out, in)), backend::weight, backend::weight));
    }

    /** A site's matrix whose rows are looked up by number; the same one when asked again. */
    public Weight table(Site site) {
        return table(site.weightName(), site.out(), site.in());
    }

    /** A matrix by name whose rows are looked up by number; the same one when asked again. */
    public Weight table(String name, int rows, int width) {
        return once(
                name,
                below -> below.table(name, rows, width),
                () -> load(stored(name, Shape.of(rows, width)), backend::table, backend::table));
    }

    /** The matrix that was made or put here before, the one below, or a new one. */
    private Weight once(String name, Function<Weights, Weight> ofBelow, Supplier<Weight> load) {
        Weight known = matrices.get(name);
        if (known != null) {
            return known;
        }
        if (under != null) {
            return ofBelow.apply(under);
        }
        Weight loaded = load.get();
        matrices.put(name, loaded);
        return loaded;
    }

    private HostTensor turned(Site site) {
        return stored(site.weightName(), Shape.of(site.in(), site.out()))
                .toHostTensor()
                .transposed();
    }

    private Weight load(StoredTensor stored, FromBytes fromBytes, BiFunction<HostTensor, DType, Weight> fromValues) {
        return switch (stored.type()) {
            case F32 -> fromBytes.make(stored.bytes(), Encoding.F32, stored.shape(), dtype);
            case F16 -> fromBytes.make(stored.bytes(), Encoding.F16, stored.shape(), dtype);
            case BF16 -> fromBytes.make(stored.bytes(), Encoding.BF16, stored.shape(), dtype);
            default -> fromValues.apply(stored.toHostTensor(), dtype);
        };
    }

    /** One of the backend's ways to make a matrix of a file's bytes. */
    @FunctionalInterface
    private interface FromBytes {
        Weight make(ByteBuffer bytes, Encoding encoding, Shape shape, DType dtype);
    }

    /** A vector [size]; the same one when asked again. */
    public Constant vector(String name, int size) {
        Constant known = vectors.get(name);
        if (known != null) {
            return known;
        }
        if (under != null) {
            return under.vector(name, size);
        }
        Constant constant = Constant.of(backend, stored(name, Shape.of(size)).toHostTensor(), dtype);
        vectors.put(name, constant);
        return constant;
    }

    /** A matrix that was loaded; empty if it was not. */
    Optional<Weight> loaded(String name) {
        Weight known = matrices.get(name);
        return known == null && under != null ? under.loaded(name) : Optional.ofNullable(known);
    }

    /** The values of a parameter that was loaded, as the model computes with them; empty if it was not loaded. */
    public Optional<HostTensor> read(String name) {
        Weight matrix = matrices.get(name);
        if (matrix != null) {
            return Optional.of(backend.dense(matrix));
        }
        Constant vector = vectors.get(name);
        if (vector == null && under != null) {
            return under.read(name);
        }
        return Optional.ofNullable(vector)
                .map(v -> HostTensor.of(v.shape(), backend.kernels().readFloats(v.buffer())));
    }

    /** A site's bias; null where it has none. */
    public @Nullable Constant bias(Site site) {
        return site.bias() ? vector(site.biasName(), site.out()) : null;
    }

    private StoredTensor stored(String name, Shape expected) {
        if (source == null) {
            throw new IllegalStateException("the weights of " + name + " are neither replaced nor in a file");
        }
        StoredTensor stored = source.find(name);
        if (!stored.shape().equals(expected)) {
            throw new InvalidFileException(source.description() + ": tensor " + name + " has shape " + stored.shape()
                    + ", but config.json asks for " + expected + "; the two files do not belong together");
        }
        return stored;
    }

    @Override
    public void close() {
        matrices.values().forEach(backend::free);
        matrices.clear();
        vectors.values().forEach(Constant::close);
        vectors.clear();
    }
}
