/** The {@code peft} command line. */
package io.peftj.examples.cli;
