package io.peftj.core.tensor;

import java.nio.charset.StandardCharsets;

/**
 * Random numbers as a pure function of a key and a counter, so that order of drawing, batches and threads cannot change them.
 *
 * <p>The function is the finaliser of SplitMix64 (Steele, Lea and Flood, 2014) over key + counter × golden ratio. Backends compute the same bits.
 */
public final class CounterRandom {
    /** The increment between counters: 2⁶⁴ divided by the golden ratio. */
    public static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private final long key;
    private long counter;

    private CounterRandom(long key) {
        this.key = key;
    }

    /** The stream of a key, from its first number. */
    public static CounterRandom of(long key) {
        return new CounterRandom(key);
    }

    /** The 64 bits of a key at a counter. */
    public static long bits(long key, long counter) {
        return mix(key + counter * GOLDEN);
    }

    /** Scrambles 64 bits so that near inputs give unrelated outputs; a bijection. */
    public static long mix(long value) {
        long z = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /** A key made of a key and one more part. */
    public static long key(long key, long part) {
        return mix(mix(key) + part * GOLDEN);
    }

    /** A key made of a key and a name. */
    public static long key(long key, String name) {
        long hash = 0xCBF29CE484222325L;
        for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (b & 0xFF)) * 0x100000001B3L;
        }
        return key(key, hash);
    }

    /**
     * The 16-bit draw of a dropout element: four draws come from one 64-bit value.
     *
     * @return 0 … 65535
     */
    public static int draw16(long tokenKey, long site, int feature) {
        long bits = mix((tokenKey ^ mix(site)) + (long) (feature >> 2) * GOLDEN);
        return (int) (bits >>> (16 * (feature & 3))) & 0xFFFF;
    }

    /** The next 64 bits. */
    public long nextLong() {
        return bits(key, counter++);
    }

    /** The next number in [0, 1). */
    public double nextDouble() {
        return (nextLong() >>> 11) * 0x1.0p-53;
    }

    /** The next whole number in [0, bound). */
    public int nextInt(int bound) {
        return (int) (nextDouble() * bound);
    }

    /** The next number of the standard normal distribution (Box and Muller's transform; two draws a number). */
    public double nextGaussian() {
        double radius = Math.sqrt(-2 * StrictMath.log(1 - nextDouble()));
        return radius * StrictMath.cos(2 * Math.PI * nextDouble());
    }

    /** Values drawn uniformly from ±bound. */
    public HostTensor uniform(Shape shape, double bound) {
        float[] values = new float[Math.toIntExact(shape.size())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) ((2 * nextDouble() - 1) * bound);
        }
        return HostTensor.of(shape, values);
    }

    /** Values drawn from a normal distribution around 0. */
    public HostTensor normal(Shape shape, double standardDeviation) {
        float[] values = new float[Math.toIntExact(shape.size())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (nextGaussian() * standardDeviation);
        }
        return HostTensor.of(shape, values);
    }

    /** Shuffles indices 0 … n−1 (Fisher and Yates). */
    public int[] permutation(int n) {
        int[] order = new int[n];
        for (int i = 0; i < n; i++) {
            int j = nextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }
}
