package io.peftj.djl.engine;

/**
 * Where a {@link TorchBackend} computes, and with how many threads.
 *
 * @param device {@code cpu}, or {@code cuda:n} for the n-th GPU
 * @param threads how many processor threads one operation uses; sums in single precision differ with it
 * @param workers how many tasks run at once, each with {@code threads} of its own. One is fastest for training; more let short tasks pass long ones
 * @param packedWeights whether frozen matrices that meet few tokens at a time are kept a second time, packed as the processor multiplies few
 *     tokens fastest. Generating is up to a quarter faster, for as much memory again as those matrices take
 */
public record EngineOptions(String device, int threads, int workers, boolean packedWeights) {
    private static final String DEVICES = "cpu|cuda:\\d{1,3}";

    /** Checks the values. */
    public EngineOptions {
        if (!device.matches(DEVICES)) {
            throw new IllegalArgumentException(
                    "device should be cpu or cuda:n with n from 0, found \"" + device + "\"");
        }
        if (threads < 1) {
            throw new IllegalArgumentException("threads should be at least 1, found " + threads);
        }
        if (workers < 1) {
            throw new IllegalArgumentException("workers should be at least 1, found " + workers);
        }
    }

    /** One worker with all of the processor's threads. */
    public static EngineOptions defaults() {
        return new EngineOptions("cpu", Runtime.getRuntime().availableProcessors(), 1, false);
    }

    /** These options on another device. */
    public EngineOptions onDevice(String other) {
        return new EngineOptions(other, threads, workers, packedWeights);
    }

    /** These options with another number of threads an operation. */
    public EngineOptions withThreads(int count) {
        return new EngineOptions(device, count, workers, packedWeights);
    }

    /** These options with another number of tasks at once. */
    public EngineOptions withWorkers(int count) {
        return new EngineOptions(device, threads, count, packedWeights);
    }

    /** These options with or without packed copies of frozen matrices. */
    public EngineOptions withPackedWeights(boolean packed) {
        return new EngineOptions(device, threads, workers, packed);
    }

    /** How many parts of one computation run side by side. */
    int lanes() {
        return isCuda() ? 1 : threads;
    }

    boolean isCuda() {
        return device.startsWith("cuda");
    }

    /** The number of the GPU. */
    int gpu() {
        return Integer.parseInt(device.substring(device.indexOf(':') + 1));
    }
}
