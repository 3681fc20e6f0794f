/** Prefix tuning: learnt keys and values that every layer's attention sees before the row (arXiv 2101.00190). */
package io.peftj.methods.prefix;
