/** What prefix tuning can and cannot teach a model (arXiv 2310.19698), tried on models small enough to train from nothing. */
package io.peftj.examples.prefixlimits;
