package io.peftj.djl.train;

/**
 * A request and the reply that a language model should learn to give.
 *
 * @param prompt what the model reads, not learnt
 * @param answer what it learns to continue with
 */
public record PromptAnswer(String prompt, String answer) {}
