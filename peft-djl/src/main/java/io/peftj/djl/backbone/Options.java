package io.peftj.djl.backbone;

import io.peftj.core.tensor.DType;
import io.peftj.djl.engine.EngineOptions;

/**
 * How a model is opened.
 *
 * @param device "cpu", or "cuda:0" and the like
 * @param dtype the format it computes in
 * @param threads threads of one native operation; 0 for as many as the machine has processors
 * @param packedWeights whether frozen matrices are kept a second time, packed for few tokens: generating is up to a quarter faster on the processor,
 *     for as much memory again as the model takes
 */
public record Options(String device, DType dtype, int threads, boolean packedWeights) {
    /** On the processor, in single precision, with all its cores. */
    public static Options defaults() {
        return new Options("cpu", DType.F32, 0, false);
    }

    /** On a device, in single precision. */
    public static Options onDevice(String device) {
        return new Options(device, DType.F32, 0, false);
    }

    /** The same in another format. */
    public Options dtype(DType other) {
        return new Options(device, other, threads, packedWeights);
    }

    /** The same with another number of threads. */
    public Options threads(int number) {
        return new Options(device, dtype, number, packedWeights);
    }

    /** The same with or without packed copies of frozen matrices. */
    public Options packedWeights(boolean packed) {
        return new Options(device, dtype, threads, packed);
    }

    EngineOptions engine() {
        EngineOptions engine = EngineOptions.defaults().onDevice(device).withPackedWeights(packedWeights);
        return threads == 0 ? engine : engine.withThreads(threads);
    }
}
