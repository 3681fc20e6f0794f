/** How measurements are shown: the machine, medians and spreads, tables and pictures. */
@NullMarked
package io.peftj.benchmarks.report;

import org.jspecify.annotations.NullMarked;
