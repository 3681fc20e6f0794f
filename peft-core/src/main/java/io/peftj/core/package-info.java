/** Errors of the library. */
package io.peftj.core;
