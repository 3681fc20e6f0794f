/**
 * Our side and the peer's, measured in turn: {@code java -jar benchmarks/target/benchmarks.jar compare train --model DIR}.
 *
 * <p>A {@link io.peftj.benchmarks.compare.Workload} says how each side is started, a {@link
 * io.peftj.benchmarks.compare.Sitting} runs what its {@link io.peftj.benchmarks.compare.RunLog} lacks, and a {@link
 * io.peftj.benchmarks.compare.Summary} makes medians and ratios of it.
 */
package io.peftj.benchmarks.compare;
