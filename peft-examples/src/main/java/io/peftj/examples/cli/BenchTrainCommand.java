package io.peftj.examples.cli;

import io.peftj.core.run.Batch;
import io.peftj.core.run.Row;
import io.peftj.core.run.Run;
import io.peftj.core.run.Stack;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.MemoryMeter;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.engine.KernelProfile;
import io.peftj.djl.train.Example.Assigned;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Measures training steps of a language model. */
@Command(
        name = "train",
        header = "Measures training steps of a language model.",
        description =
                "Measures forward, backward and AdamW on full rows of random tokens: tokens a second as the median over"
                        + " the steps after two that warm up.")
final class BenchTrainCommand implements Callable<Integer> {
    private static final int WARM_UP = 2;

    private final ModelOpener opener;

    @Spec
    private CommandSpec command;

    @Mixin
    private ModelOptions model;

    @Option(
            names = "--method",
            completionCandidates = MethodOptions.Names.class,
            defaultValue = "lora",
            paramLabel = "METHOD",
            description = "What to train: " + MethodOptions.NAMES + " (default: ${DEFAULT-VALUE}).")
    private String method;

    @Mixin
    private MethodOptions methodOptions;

    @Option(
            names = "--batch",
            defaultValue = "4",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "Rows of a step (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(
            names = "--length",
            defaultValue = "128",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "Tokens of a row (default: ${DEFAULT-VALUE}).")
    private int length;

    @Option(
            names = "--steps",
            defaultValue = "8",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "Steps to measure (default: ${DEFAULT-VALUE}).")
    private int steps;

    @Option(names = "--checkpointing", description = "Compute layers again in the backward pass.")
    private boolean checkpointing;

    @Mixin
    private final Profiling profiling = new Profiling();

    BenchTrainCommand(ModelOpener opener) {
        this.opener = opener;
    }

    @Override
    public Integer call() {
        try (Backbone base = model.openToMeasure(opener)) {
            touch(base);
            OptionalLong loaded = Rss.loadedMib();
            try (RandomTokenTraining training =
                    new RandomTokenTraining(base, methodOptions.config(method), length, checkpointing)) {
                measure(training, base.backend(), loaded)
                        .print(command.commandLine().getOut());
            }
        }
        return 0;
    }

    /** Runs one token through the whole model, so that weights which a system loads at their first use are counted. */
    private static void touch(Backbone base) {
        base.call("touch", session -> {
            Run run = new Run(session, Batch.of(session, base.spec(), List.of(Row.of(Stack.BASE, 0, 0))), null);
            return base.outputs()
                    .logits(
                            run,
                            base.transformer().hiddenStates(run),
                            run.batch().tokens())
                    .shape();
        });
    }

    private JsonLine measure(RandomTokenTraining training, Backend backend, OptionalLong loaded) {
        MemoryMeter memory = backend.memory();
        memory.resetPeak();
        long before = memory.liveBytes();
        double loss = 0;
        for (int step = 0; step < WARM_UP; step++) {
            loss = step("warm-up", training, new double[1], 0);
        }
        double[] seconds = new double[steps];
        Optional<KernelProfile> kernels = profiling.start(backend);
        for (int step = 0; step < steps; step++) {
            loss = step("step " + (step + 1) + " of " + steps, training, seconds, step);
        }
        double median = median(seconds);
        JsonLine line = new JsonLine()
                .put("side", "peftj")
                .put("threads", model.measuredThreads())
                .put("workload", "train")
                .put("method", method)
                .put("rss_loaded_mib", loaded)
                .put("batch", batch)
                .put("length", length)
                .put("checkpointing", checkpointing)
                .put("dtype", model.dtypeName())
                .put("trainable", training.trainable())
                .putRounded("loss", loss, 4)
                .putRounded("step_s", median, 4)
                .putRounded("tokens_per_s", batch * length / median, 1)
                .put("peak_tensors_mib", (memory.peakBytes() - before) >> 20)
                .put("peak_rss_mib", Rss.peakMib());
        kernels.ifPresent(counted -> profiling.report(
                counted,
                backend,
                steps,
                Arrays.stream(seconds).average().orElseThrow(),
                Math.min(batch, backend.lanes()),
                line));
        return line;
    }

    /** One step; its time goes into its place among the others'. */
    private double step(String name, RandomTokenTraining training, double[] seconds, int place) {
        List<Assigned> rows = training.rows(batch);
        long began = System.nanoTime();
        double loss = training.step(rows);
        seconds[place] = (System.nanoTime() - began) / 1e9;
        command.commandLine().getErr().printf("%s: loss %.4f, %.3f s%n", name, loss, seconds[place]);
        command.commandLine().getErr().flush();
        return loss;
    }

    private static double median(double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }
}
