/** The tensor vocabulary over plain {@code double[]}: an independent oracle that shares no code with any engine. */
package io.peftj.testkit.reference;
