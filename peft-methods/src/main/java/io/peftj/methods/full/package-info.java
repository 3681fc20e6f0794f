/** Full fine-tuning: every parameter, as the baseline of all other methods. */
package io.peftj.methods.full;
