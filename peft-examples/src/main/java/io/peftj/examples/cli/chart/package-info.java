/** Pictures of numbers, as PNG files. */
@NullMarked
package io.peftj.examples.cli.chart;

import org.jspecify.annotations.NullMarked;
