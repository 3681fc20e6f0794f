/** Reading texts to train and to measure on: CSV and JSON lines, and the data sets that the benchmarks use. */
package io.peftj.examples.cli.data;
