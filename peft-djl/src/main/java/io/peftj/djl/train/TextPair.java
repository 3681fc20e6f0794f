package io.peftj.djl.train;

/**
 * Two texts that should be close to each other: a question and a passage that answers it, two ways to say one thing.
 *
 * @param anchor what one looks with
 * @param positive what should be found
 */
public record TextPair(String anchor, String positive) {}
