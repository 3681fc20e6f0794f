package io.peftj.core.io;

import io.peftj.core.InvalidFileException;
import io.peftj.core.tensor.Shape;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What tells one base model from another: its architecture, sizes, the names and shapes of its body's tensors, and 64
 * values at fixed places of each of 8 of them.
 *
 * <p>The body is what every copy of a model has: no pooler, head, output embedding or buffer. Values are compared with
 * a tolerance that a cast to bfloat16 or half precision passes, so that copies in f32, bf16 and ONNX are one model.
 */
public final class Fingerprint {
    private static final int SAMPLED_TENSORS = 8;
    private static final int SAMPLES = 64;
    /** A cast to bf16 changes a value by up to 2⁻⁹ of it, one to f16 by 2⁻¹¹, and two copies may be cast differently. */
    private static final float RELATIVE_TOLERANCE = 0x1p-8f;
    /** Near 0 f16 has no finer steps. */
    private static final float ABSOLUTE_TOLERANCE = 0x1p-24f;

    private static final Pattern LAYER_NUMBER = Pattern.compile("(?<=^|\\.)\\d+(?=\\.|$)");

    private final String architecture;
    private final SortedMap<String, Integer> sizes;
    private final SortedMap<String, Integer> tensors;
    private final SortedMap<String, float[]> values;

    /**
     * Puts a fingerprint together again.
     *
     * @param tensors how many there are of each name and shape, with layer numbers replaced by {@code *}
     * @param values the samples by tensor
     */
    Fingerprint(
            String architecture,
            SortedMap<String, Integer> sizes,
            SortedMap<String, Integer> tensors,
            SortedMap<String, float[]> values) {
        this.architecture = architecture;
        this.sizes = sizes;
        this.tensors = tensors;
        this.values = values;
    }

    /** Values of a tensor at row-major places. */
    @FunctionalInterface
    public interface Sampler {
        /** The values at these places, in single precision and as they were before any quantisation. */
        float[] at(long... places);
    }

    /**
     * A tensor of the body.
     *
     * @param shape its sizes, as the architecture's own files have them
     * @param values its values; asked for those of 8 tensors only
     */
    public record Tensor(Shape shape, Sampler values) {
        /** A tensor of a file. */
        public static Tensor of(StoredTensor tensor) {
            return new Tensor(tensor.shape(), tensor::toFloatsAt);
        }

        /** The 64 values by which copies of a tensor are told from others; none of an empty one. */
        public float[] samples() {
            return shape.size() == 0 ? new float[0] : values.at(places(shape.size()));
        }
    }

    /**
     * Takes a model's fingerprint.
     *
     * @param architecture the model's family, such as {@code llama}
     * @param sizes whatever sizes the family has, such as {@code hidden_size}
     * @param body the body's tensors by canonical name
     */
    public static Fingerprint compute(String architecture, Map<String, Integer> sizes, Map<String, Tensor> body) {
        SortedMap<String, Integer> tensors = new TreeMap<>();
        SortedMap<String, Tensor> matrices = new TreeMap<>();
        body.forEach((name, tensor) -> {
            String pattern = LAYER_NUMBER.matcher(name).replaceAll("*");
            tensors.merge(pattern + " " + tensor.shape(), 1, Integer::sum);
            // Vectors are mostly those of norms, which differ little between models.
            if (tensor.shape().rank() > 1 && tensor.shape().size() > 0) {
                matrices.put(name, tensor);
            }
        });
        SortedMap<String, float[]> values = new TreeMap<>();
        for (Map.Entry<String, Tensor> chosen : spread(List.copyOf(matrices.entrySet()))) {
            values.put(chosen.getKey(), chosen.getValue().samples());
        }
        return new Fingerprint(architecture, new TreeMap<>(sizes), tensors, values);
    }

    private static <T> List<T> spread(List<T> all) {
        int count = Math.min(all.size(), SAMPLED_TENSORS);
        return IntStream.range(0, count)
                .mapToObj(i -> all.get(count == 1 ? 0 : i * (all.size() - 1) / (count - 1)))
                .toList();
    }

    /** Scattered by SplitMix64: even steps would fall into one column where they divide the width. */
    private static long[] places(long size) {
        long[] places = new long[SAMPLES];
        for (int i = 0; i < SAMPLES; i++) {
            long z = (i + 1) * 0x9E3779B97F4A7C15L;
            z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
            z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
            places[i] = Long.remainderUnsigned(z ^ (z >>> 31), size);
        }
        return places;
    }

    /** Whether both were taken from copies of one model. */
    public boolean matches(Fingerprint loaded) {
        return differenceFrom(loaded).isEmpty();
    }

    /**
     * The first difference between this fingerprint, which a file recorded, and that of the base which was loaded; empty
     * if they match. The text names both bases.
     */
    public Optional<String> differenceFrom(Fingerprint loaded) {
        return unequal("architecture", architecture, loaded.architecture)
                .or(() -> first(sizes, loaded.sizes, Fingerprint::unequal))
                .or(() -> first(tensors, loaded.tensors, (key, a, b) -> unequal("the number of " + key, a, b)))
                .or(() -> first(values, loaded.values, Fingerprint::difference))
                .map(difference ->
                        "recorded for the base " + this + ", used with the base " + loaded + ": " + difference);
    }

    private interface Comparison<T> {
        Optional<String> difference(String key, @Nullable T recorded, @Nullable T loaded);
    }

    private static <T> Optional<String> first(
            Map<String, T> recorded, Map<String, T> loaded, Comparison<T> comparison) {
        SortedSet<String> keys = new TreeSet<>(recorded.keySet());
        keys.addAll(loaded.keySet());
        return keys.stream()
                .map(key -> comparison.difference(key, recorded.get(key), loaded.get(key)))
                .flatMap(Optional::stream)
                .findFirst();
    }

    private static Optional<String> unequal(String what, @Nullable Object recorded, @Nullable Object loaded) {
        return Objects.equals(recorded, loaded)
                ? Optional.empty()
                : Optional.of(what + " is " + shown(recorded) + " there and " + shown(loaded) + " here");
    }

    /**
     * How samples of a tensor differ by more than a cast makes them; empty if they do not.
     *
     * @param recorded those of a copy; null if none were taken
     * @param loaded those of the model at hand; null if none were taken
     */
    public static Optional<String> difference(String tensor, float @Nullable [] recorded, float @Nullable [] loaded) {
        if (recorded == null || loaded == null || recorded.length != loaded.length) {
            return Optional.of("values of " + tensor + " were taken of one of the two only");
        }
        return IntStream.range(0, recorded.length)
                .filter(i -> !close(recorded[i], loaded[i]))
                .mapToObj(i -> "value " + i + " of " + recorded.length + " taken from " + tensor + " is " + recorded[i]
                        + " there and " + loaded[i] + " here, so the weights are others")
                .findFirst();
    }

    private static boolean close(float a, float b) {
        if (!Float.isFinite(a) || !Float.isFinite(b)) {
            return Float.compare(a, b) == 0;
        }
        return Math.abs(a - b) <= ABSOLUTE_TOLERANCE + RELATIVE_TOLERANCE * Math.max(Math.abs(a), Math.abs(b));
    }

    private static String shown(@Nullable Object value) {
        return value == null ? "absent" : value.toString();
    }

    /** The fingerprint as one line of JSON, for a file's metadata; about 4 kB. */
    public String encode() {
        return FingerprintJson.write(architecture, sizes, tensors, values);
    }

    /**
     * Reads what {@link #encode()} wrote.
     *
     * @param source where the text comes from, for messages
     * @throws InvalidFileException if it is not that
     */
    public static Fingerprint decode(String json, String source) {
        return FingerprintJson.read(json, source);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Fingerprint fingerprint && encode().equals(fingerprint.encode());
    }

    @Override
    public int hashCode() {
        return Objects.hash(architecture, sizes, tensors);
    }

    /** Architecture and sizes, for messages. */
    @Override
    public String toString() {
        Function<Map.Entry<String, Integer>, String> size = entry -> entry.getKey() + " " + entry.getValue();
        return architecture + sizes.entrySet().stream().map(size).collect(Collectors.joining(", ", " (", ")"));
    }
}
