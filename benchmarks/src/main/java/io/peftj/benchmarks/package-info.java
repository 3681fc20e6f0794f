/**
 * Micro-benchmarks: {@code java -jar benchmarks/target/benchmarks.jar <class> -p dtype=BF16}. Compare numbers of one sitting on an
 * idle machine only.
 */
package io.peftj.benchmarks;
