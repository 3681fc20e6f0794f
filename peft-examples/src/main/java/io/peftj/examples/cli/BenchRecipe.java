package io.peftj.examples.cli;

import io.peftj.djl.train.AdapterTrainer;
import io.peftj.djl.train.Batching;
import io.peftj.djl.train.Schedule;
import java.util.stream.IntStream;
import picocli.CommandLine.Option;

/** How the trainings that are compared go: AdamW, linear decay after 6 % warm-up, gradients clipped to 1, and these numbers. */
final class BenchRecipe {
    /** How rows become batches. */
    private enum Batches {
        /** Shuffled rows, as the other side does it. */
        PEFT,
        /** Rows of like lengths together, as many as make up the tokens of a usual batch. */
        OURS
    }

    @Option(
            names = "--epochs",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "Times to go through the training rows (default: ${DEFAULT-VALUE}).")
    private int epochs;

    @Option(
            names = "--lr",
            paramLabel = "RATE",
            converter = Numbers.Positive.class,
            description = "The learning rate (default: ${DEFAULT-VALUE}).")
    private double learningRate;

    @Option(
            names = "--batch",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "Rows of a step (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Decides initial values and order (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = "--recipe",
            paramLabel = "NAME",
            description =
                    "How rows become batches: peft for shuffled rows, ours for rows of like lengths, as many as make up"
                            + " the tokens of a usual batch (default: ${DEFAULT-VALUE}).")
    private Batches recipe = Batches.PEFT;

    /** What is usual for a workload. */
    BenchRecipe(int epochs, double learningRate, int batch) {
        this.epochs = epochs;
        this.learningRate = learningRate;
        this.batch = batch;
    }

    int epochs() {
        return epochs;
    }

    double learningRate() {
        return learningRate;
    }

    long seed() {
        return seed;
    }

    /**
     * The trainer with these numbers.
     *
     * @param lengths of the training rows, in tokens
     */
    <R> AdapterTrainer<R> applyTo(AdapterTrainer<R> trainer, IntStream lengths) {
        Batching batching = recipe == Batches.PEFT
                ? Batching.rows(batch)
                : Batching.tokens((int) Math.max(1, batch * lengths.average().orElseThrow()));
        return trainer.epochs(epochs)
                .learningRate(learningRate)
                .batching(batching)
                .schedule(Schedule.linear().warmUp(0.06))
                .clipNorm(1)
                .seed(seed);
    }
}
