package io.peftj.examples.cli;

import io.peftj.djl.generate.Sampling;
import io.peftj.djl.serve.GenerationSettings;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How texts are continued and where they end. */
final class SamplingOptions {
    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description =
                    "The most tokens of a text; 64, or fewer where the model has no more positions, if not given.")
    private @Nullable Integer maxTokens;

    @Option(
            names = "--temperature",
            defaultValue = "0",
            paramLabel = "T",
            converter = Numbers.NotNegative.class,
            description =
                    "What logits are divided by before a token is drawn; 0 takes the likeliest (default: ${DEFAULT-VALUE}).")
    private double temperature;

    @Option(
            names = "--top-k",
            defaultValue = "0",
            paramLabel = "K",
            converter = Numbers.CountOrNone.class,
            description = "Draw among the K likeliest tokens; 0 for all (default: ${DEFAULT-VALUE}).")
    private int topK;

    @Option(
            names = "--top-p",
            defaultValue = "1",
            paramLabel = "P",
            converter = Numbers.Positive.class,
            description =
                    "Draw among the likeliest tokens that have the probability P together (default: ${DEFAULT-VALUE}).")
    private double topP;

    @Option(
            names = "--repetition-penalty",
            defaultValue = "1",
            paramLabel = "X",
            converter = Numbers.Positive.class,
            description = "Make tokens that occurred already less likely, above 1 (default: ${DEFAULT-VALUE}).")
    private double repetitionPenalty;

    @Option(
            names = "--seed",
            defaultValue = "0",
            paramLabel = "SEED",
            description = "What draws depend on (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = "--stop",
            paramLabel = "TEXT",
            description =
                    "End a text before this; may be given several times. The model's own end tokens always end it.")
    private List<String> stop = List.of();

    /** What the options say. */
    GenerationSettings settings() {
        Sampling sampling = new Sampling(temperature, topK, topP, repetitionPenalty, seed);
        GenerationSettings settings =
                GenerationSettings.USUAL.withSampling(sampling).withStopTexts(stop);
        return maxTokens == null ? settings : settings.withMaxTokens(maxTokens);
    }
}
