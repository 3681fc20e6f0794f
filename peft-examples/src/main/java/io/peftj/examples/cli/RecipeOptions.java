package io.peftj.examples.cli;

import io.peftj.djl.train.AdapterTrainer;
import io.peftj.djl.train.Bilevel;
import io.peftj.djl.train.Metric;
import io.peftj.methods.lora.LoraPlus;
import io.peftj.methods.pedro.PedroActivation;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How to train: the numbers of a run. */
final class RecipeOptions {
    @Option(
            names = "--epochs",
            defaultValue = "3",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "Times to go through the rows (default: ${DEFAULT-VALUE}).")
    private int epochs;

    @Option(
            names = "--lr",
            defaultValue = "1e-3",
            paramLabel = "RATE",
            converter = Numbers.Positive.class,
            description =
                    "The learning rate; it rises over the first 6 %% of the steps and then falls to 0 in equal steps"
                            + " (default: ${DEFAULT-VALUE}).")
    private double learningRate;

    @Option(
            names = "--lora-plus",
            paramLabel = "RATIO",
            converter = Numbers.Positive.class,
            description =
                    "How many times the learning rate of LoRA's matrices A their B have, 16 in LoRA+; 1 if not given.")
    private @Nullable Double loraPlus;

    @Option(
            names = "--bilevel",
            paramLabel = "RATE",
            converter = Numbers.Positive.class,
            description =
                    "Train the coefficients of PEDRO's rational activations on the --validation rows at this learning rate"
                            + " (1e-6 in the paper, beside 1e-4) and all else on --data; all on --data if not given.")
    private @Nullable Double bilevel;

    @Option(
            names = "--batch",
            defaultValue = "32",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "Rows of an optimiser step (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(
            names = "--micro-batch",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "Rows computed at once: less memory, the same steps; all rows of a step if not given.")
    private @Nullable Integer microBatch;

    @Option(
            names = "--gradient-checkpointing",
            description = "Compute layers again in the backward pass: less memory, more time, the same steps.")
    private boolean gradientCheckpointing;

    @Option(
            names = "--weight-decay",
            defaultValue = "0",
            paramLabel = "D",
            converter = Numbers.NotNegative.class,
            description = "AdamW's decoupled weight decay (default: ${DEFAULT-VALUE}).")
    private double weightDecay;

    @Option(
            names = "--patience",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "Stop after N evaluations that were no better than the best before; never if not given.")
    private @Nullable Integer patience;

    @Option(
            names = "--best-by",
            paramLabel = "METRIC",
            description =
                    "What decides which epoch's adapter is written and when to stop: loss, accuracy, macro_f1, perplexity or"
                            + " recall@k; accuracy, perplexity or recall@1 if not given, after the task.")
    private @Nullable String metric;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "N",
            description = "Decides initial values, order and dropout (default: ${DEFAULT-VALUE}).")
    private long seed;

    /** The trainer with these numbers. */
    <R> AdapterTrainer<R> applyTo(AdapterTrainer<R> trainer) {
        trainer.epochs(epochs)
                .learningRate(learningRate)
                .batchSize(batch)
                .weightDecay(weightDecay)
                .gradientCheckpointing(gradientCheckpointing)
                .seed(seed);
        if (loraPlus != null) {
            trainer.learningRateFactors(LoraPlus.ratio(loraPlus));
        }
        if (bilevel != null) {
            trainer.bilevel(new Bilevel(PedroActivation.coefficients(), bilevel));
        }
        if (microBatch != null) {
            trainer.microBatchSize(microBatch);
        }
        if (patience != null) {
            trainer.earlyStopping(patience);
        }
        if (metric != null) {
            trainer.bestBy(Metric.of(metric));
        }
        return trainer;
    }
}
