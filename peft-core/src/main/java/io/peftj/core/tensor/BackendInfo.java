package io.peftj.core.tensor;

/**
 * What a backend computes with, to be read by people and compared: sums in single precision depend on all of it.
 *
 * @param engine what the arithmetic is done by, with its version and the kernels it chose
 * @param device "cpu", or "cuda:0" and the like
 * @param threads threads of one operation
 */
public record BackendInfo(String engine, String device, int threads) {}
