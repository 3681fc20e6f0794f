package io.peftj.djl.train;

/**
 * A text and the name of its class.
 *
 * @param text what is classified
 * @param label one of the task's labels
 */
public record LabelledText(String text, String label) {}
