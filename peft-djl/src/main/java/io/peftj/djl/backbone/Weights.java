package io.peftj.djl.backbone;

import io.peftj.core.InvalidFileException;
import io.peftj.core.io.StoredTensor;
import io.peftj.core.io.TensorSource;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Encoding;
import io.peftj.core.tensor.FusedWeight;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Kernels;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Weight;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Takes a model's tensors from a file into a backend, checks their shapes, and owns what it made. Used on a thread of the backend. */
public final class Weights implements AutoCloseable {
    private @Nullable TensorSource source;
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
        for (Weights each = this; each.under != null; each = each.under) {
            names.addAll(each.matrices.keySet());
            names.addAll(each.vectors.keySet());
        }
        return names;
    }

    /** Whether a matrix was put in the place of the file's, or of none. */
    public boolean replaces(String name) {
        return under != null && matrices.containsKey(name);
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

    /**
     * The matrices of sites that read one input, below each other; the same one when asked again.
     *
     * @return null where some of the matrices or biases were replaced and the others were not
     */
    @Nullable
    Weight fused(List<Site> sites) {
        if (under != null && !replacesAll(sites)) {
            return replacesAny(sites) ? null : under.fused(sites);
        }
        String name = joined(sites, Site::weightName);
        Weight known = matrices.get(name);
        if (known == null) {
            FusedWeight fused = backend.fuse(sites.stream().map(this::matrix).toList());
            for (int i = 0; i < sites.size(); i++) {
                matrices.put(sites.get(i).weightName(), fused.parts().get(i));
            }
            known = fused.whole();
            matrices.put(name, known);
        }
        return known;
    }

    /** The biases of such sites one after another; null if one of them has none. */
    @Nullable
    Constant fusedBias(List<Site> sites) {
        List<Constant> biases = new ArrayList<>();
        for (Site site : sites) {
            Constant bias = bias(site);
            if (bias == null) {
                return null;
            }
            biases.add(bias);
        }
        if (under != null && !replacesAny(sites)) {
            return under.fusedBias(sites);
        }
        String name = joined(sites, Site::biasName);
        Constant known = vectors.get(name);
        if (known == null) {
            Kernels kernels = backend.kernels();
            Shape shape = Shape.of(sites.stream().mapToInt(Site::out).sum());
            known = Constant.owning(
                    kernels.concat(biases.stream().map(Constant::buffer).toList(), 0), shape, dtype);
            vectors.put(name, known);
        }
        return known;
    }

    private boolean replacesAll(List<Site> sites) {
        return sites.stream().allMatch(site -> replaces(site.weightName()));
    }

    private boolean replacesAny(List<Site> sites) {
        return under != null
                && sites.stream()
                        .anyMatch(site ->
                                matrices.containsKey(site.weightName()) || vectors.containsKey(site.biasName()));
    }

    private static String joined(List<Site> sites, Function<Site, String> name) {
        return sites.stream().map(name).collect(Collectors.joining(" + "));
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

    /** Lets the file go, of which nothing is wanted any more: its mapping stays in memory for as long as somebody could read it. */
    void forgetFile() {
        source = null;
    }

    private StoredTensor stored(String name, Shape expected) {
        if (source == null) {
            throw new IllegalStateException("the weights of " + name + " were neither replaced nor loaded");
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
