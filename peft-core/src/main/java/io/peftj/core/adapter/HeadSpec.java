package io.peftj.core.adapter;

/**
 * A linear classification head over a row's pooled state.
 *
 * @param name the module's name, such as "classifier" or "score"
 * @param classes number of classes
 * @param in width of the pooled state
 * @param bias whether it has a bias
 * @param pooling what is pooled; with a pooler in the model, its input
 */
public record HeadSpec(String name, int classes, int in, boolean bias, Pooling pooling) {}
