package io.peftj.djl.train;

import java.util.List;

/**
 * Training on two levels: some parameters learn from rows of their own, so that they do not follow what the others make of the training rows.
 *
 * <p>After each step on training rows, which leaves these parameters alone, one on the next batch of the other rows changes nothing but them: the
 * first-order way of DARTS (arXiv 1806.09055), which PEDRO's activations are trained in (arXiv 2409.17834).
 *
 * @param endsOfNames the ends of the names of these parameters, at least one
 * @param learningRate theirs at the schedule's height
 */
public record Bilevel(List<String> endsOfNames, double learningRate) {
    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if no name is given or the rate is not above 0
     */
    public Bilevel {
        endsOfNames = List.copyOf(endsOfNames);
        if (endsOfNames.isEmpty()) {
            throw new IllegalArgumentException(
                    "the parameters of the upper level: expected at least one end of a name");
        }
        if (!(learningRate > 0) || !Double.isFinite(learningRate)) {
            throw new IllegalArgumentException(
                    "the upper level's learning rate: expected a number above 0, found " + learningRate);
        }
    }

    boolean has(String parameter) {
        return endsOfNames.stream().anyMatch(parameter::endsWith);
    }
}
