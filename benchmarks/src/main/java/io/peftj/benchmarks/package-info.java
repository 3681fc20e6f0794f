/**
 * The jar's entrance. {@link io.peftj.benchmarks.kernels} measures single kernels, {@link io.peftj.benchmarks.compare} whole workloads
 * beside the peer's.
 */
package io.peftj.benchmarks;
