package io.peftj.djl.train;

import java.time.Duration;

/** Measures how fast training goes. */
final class Speed {
    private final long start = System.nanoTime();
    private long inSteps;
    private long steps;
    private long tokens;
    private long examples;

    /** Notes a step that began at a value of {@link System#nanoTime()} and is over, and says how long it took. */
    Duration step(long began, long tokensOfStep, int examplesOfStep) {
        long took = System.nanoTime() - began;
        inSteps += took;
        steps++;
        tokens += tokensOfStep;
        examples += examplesOfStep;
        return Duration.ofNanos(took);
    }

    Duration elapsed() {
        return Duration.ofNanos(System.nanoTime() - start);
    }

    /** What more steps take at the mean speed so far. */
    Duration forSteps(long more) {
        return Duration.ofNanos(steps == 0 ? 0 : (long) ((double) inSteps / steps * more));
    }

    double tokensPerSecond() {
        return tokens / seconds();
    }

    double examplesPerSecond() {
        return examples / seconds();
    }

    private double seconds() {
        return Math.max(1, inSteps) / 1e9;
    }
}
