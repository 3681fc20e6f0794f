package io.peftj.core.tensor;

/**
 * What a cross entropy gives.
 *
 * @param sum Σ weight · negative log-likelihood, a scalar to differentiate
 * @param perRow each row's negative log-likelihood, unweighted [rows]; not differentiable
 */
public record Loss(Tensor sum, Tensor perRow) {}
