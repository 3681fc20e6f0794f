/** Every operation of the vocabulary as a case: to check its rule by finite differences, and a backend by the reference. */
package io.peftj.testkit.operation;
