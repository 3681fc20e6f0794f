package io.peftj.core.adapter;

/**
 * An adapter as a term of a sum.
 *
 * @param weight how much of its change counts; of either sign
 */
public record WeightedAdapter(Adapter adapter, double weight) {}
