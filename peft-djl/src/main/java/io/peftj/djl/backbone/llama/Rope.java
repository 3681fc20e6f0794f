package io.peftj.djl.backbone.llama;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Index;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Rotary positions (arXiv 2104.09864): a frequency for each pair of a head's dimensions. */
final class Rope {
    /** What the implemented types read, in any of them. */
    private static final Set<String> KEYS = Set.of(
            "rope_type",
            "type",
            "rope_theta",
            "factor",
            "low_freq_factor",
            "high_freq_factor",
            "original_max_position_embeddings",
            "frequency_factors",
            "partial_rotary_factor");

    private final double[] frequencies;

    /** Of positions from 0 on, as many as were asked for so far and some more; replaced as a whole. */
    private volatile Table known = new Table(0, new float[0], new float[0]);

    private Rope(double[] frequencies) {
        this.frequencies = frequencies;
    }

    /** Reads rope_parameters (transformers 5), or rope_theta and rope_scaling (transformers 4). */
    static Rope read(ConfigReader config, int headDim) {
        Optional<ConfigReader> scaling =
                config.optionalObject("rope_parameters").or(() -> config.optionalObject("rope_scaling"));
        double theta = config.optionalDouble("rope_theta", 10000);
        String type = "default";
        if (scaling.isPresent()) {
            ConfigReader keys = scaling.get();
            refuseUnknown(keys);
            theta = keys.optionalDouble("rope_theta", theta);
            type = keys.optionalString("rope_type", keys.optionalString("type", "default"));
        }
        double[] frequencies = new double[headDim / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = Math.pow(theta, -2.0 * i / headDim);
        }
        switch (type) {
            case "default" -> {}
            case "llama3" -> scaleAsLlama3(frequencies, scaling.orElseThrow());
            case "linear" -> divide(frequencies, scaling.orElseThrow().requiredDouble("factor"));
            default ->
                throw new InvalidConfigException("rope type \"" + type
                        + "\" of config.json is not implemented; known are default, linear and llama3");
        }
        scaling.ifPresent(keys -> divideEach(frequencies, keys));
        return new Rope(frequencies);
    }

    /** By GGUF's factors, in which its converter has worked out Llama 3.1's scaling. */
    private static void divideEach(double[] frequencies, ConfigReader keys) {
        List<Double> factors = keys.doubles("frequency_factors");
        if (!factors.isEmpty() && factors.size() != frequencies.length) {
            throw keys.error("frequency_factors", frequencies.length + " of them", "use another file");
        }
        for (int i = 0; i < factors.size(); i++) {
            frequencies[i] /= factors.get(i);
        }
    }

    private static void refuseUnknown(ConfigReader keys) {
        for (String key : keys.keys()) {
            if (keys.has(key) && !KEYS.contains(key)) {
                throw new InvalidConfigException("the rotary positions of config.json have the key \"" + key
                        + "\", which is not implemented; known are "
                        + KEYS.stream().sorted().toList());
            }
        }
        if (keys.optionalDouble("partial_rotary_factor", 1) != 1) {
            throw new InvalidConfigException("the rotary positions of config.json have partial_rotary_factor "
                    + keys.optionalDouble("partial_rotary_factor", 1) + "; only 1 is implemented");
        }
    }

    private static void divide(double[] frequencies, double factor) {
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] /= factor;
        }
    }

    /** Llama 3.1's: long wavelengths are stretched by a factor, short ones kept, those between blended. */
    private static void scaleAsLlama3(double[] frequencies, ConfigReader keys) {
        double factor = keys.requiredDouble("factor");
        double low = keys.requiredDouble("low_freq_factor");
        double high = keys.requiredDouble("high_freq_factor");
        double context = keys.requiredDouble("original_max_position_embeddings");
        for (int i = 0; i < frequencies.length; i++) {
            double wavelength = 2 * Math.PI / frequencies[i];
            if (wavelength > context / low) {
                frequencies[i] /= factor;
            } else if (wavelength >= context / high) {
                double smooth = (context / wavelength - low) / (high - low);
                frequencies[i] = (1 - smooth) * frequencies[i] / factor + smooth * frequencies[i];
            }
        }
    }

    /** Cosines and sines of some positions, each [positions, head dim / 2]. */
    Angles at(Session session, Index positions, DType dtype) {
        int half = frequencies.length;
        float[] cos = new float[positions.size() * half];
        float[] sin = new float[cos.length];
        int last = 0;
        for (int t = 0; t < positions.size(); t++) {
            last = Math.max(last, (int) positions.get(t));
        }
        Table table = table(last + 1);
        for (int t = 0; t < positions.size(); t++) {
            int from = (int) positions.get(t) * half;
            System.arraycopy(table.cos(), from, cos, t * half, half);
            System.arraycopy(table.sin(), from, sin, t * half, half);
        }
        Shape shape = Shape.of(positions.size(), half);
        return new Angles(
                session.tensor(HostTensor.of(shape, cos), dtype), session.tensor(HostTensor.of(shape, sin), dtype));
    }

    /** A table of at least so many positions. Threads that meet here compute the same values. */
    private Table table(int positions) {
        Table table = known;
        if (table.positions() >= positions) {
            return table;
        }
        int count = Math.max(positions, 2 * table.positions());
        int half = frequencies.length;
        float[] cos = new float[count * half];
        float[] sin = new float[cos.length];
        for (int position = 0; position < count; position++) {
            for (int i = 0; i < half; i++) {
                // As Hugging Face rounds: frequency and angle in single precision.
                float angle = (float) position * (float) frequencies[i];
                cos[position * half + i] = (float) Math.cos(angle);
                sin[position * half + i] = (float) Math.sin(angle);
            }
        }
        Table larger = new Table(count, cos, sin);
        known = larger;
        return larger;
    }

    /** Cosines and sines [positions, head dim / 2], row-major; never written after it was made. */
    @SuppressWarnings("ArrayRecordComponent") // used here alone, never compared
    private record Table(int positions, float[] cos, float[] sin) {}

    /** What queries and keys are rotated by. */
    record Angles(Tensor cos, Tensor sin) {}
}
