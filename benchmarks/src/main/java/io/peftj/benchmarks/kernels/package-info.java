/**
 * Single kernels, measured by JMH: {@code java -jar benchmarks/target/benchmarks.jar kernels -p tokens=32}. Compare numbers of one
 * sitting on an idle machine only.
 */
@NullMarked
package io.peftj.benchmarks.kernels;

import org.jspecify.annotations.NullMarked;
