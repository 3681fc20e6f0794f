/** The tensor vocabulary, the tape that differentiates it, and what a backend implements. */
package io.peftj.core.tensor;
