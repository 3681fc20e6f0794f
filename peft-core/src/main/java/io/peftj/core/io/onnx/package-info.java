/** Weights out of ONNX files: as much of the format as that takes, read-only. */
@NullMarked
package io.peftj.core.io.onnx;

import org.jspecify.annotations.NullMarked;
