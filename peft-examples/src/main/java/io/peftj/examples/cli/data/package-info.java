/** The data sets that the benchmarks use. */
package io.peftj.examples.cli.data;
