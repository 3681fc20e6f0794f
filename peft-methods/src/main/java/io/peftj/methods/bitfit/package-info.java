/** BitFit: biases alone. */
package io.peftj.methods.bitfit;
