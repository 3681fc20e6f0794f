package io.peftj.examples.cli;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.PeftException;
import io.peftj.core.adapter.Adapter;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.train.AdapterTrainer;
import io.peftj.djl.train.Evaluation;
import io.peftj.djl.train.ProgressBar;
import io.peftj.djl.train.Tasks;
import io.peftj.djl.train.TextTask;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Teaches a language model to continue one long text, and measures how well it continues the rest of it. */
@Command(
        name = "text",
        header = "Measures teaching a language model to continue a long text.",
        description = {
            "Trains on the first nine tenths of a text file, cut into windows, and measures the loss a token on the last"
                    + " tenth, before and after. Of every window the second half alone is learnt and measured, whatever the"
                    + " method, since some methods read the first as a prompt.",
            "AdamW without weight decay, linear decay after 6 %% warm-up, gradients clipped to 1."
        })
final class BenchTextCommand implements Callable<Integer> {
    private static final double TRAINED = 0.9;

    private final ModelOpener opener;

    @Spec
    private CommandSpec command;

    @Mixin
    private ModelOptions model;

    @Option(names = "--data", required = true, paramLabel = "FILE", description = "The text, in UTF-8.")
    private Path data;

    @Option(
            names = "--window",
            defaultValue = "256",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "Tokens of a window (default: ${DEFAULT-VALUE}).")
    private int window;

    @Option(
            names = "--method",
            defaultValue = "lora",
            completionCandidates = MethodOptions.Names.class,
            paramLabel = "METHOD",
            description = "What to train: " + MethodOptions.NAMES + " (default: ${DEFAULT-VALUE}).")
    private String method;

    @Mixin
    private MethodOptions methodOptions;

    @Mixin
    private final BenchRecipe recipe = new BenchRecipe(1, 1e-3, 16);

    BenchTextCommand(ModelOpener opener) {
        this.opener = opener;
    }

    @Override
    public Integer call() {
        String text = read();
        int cut = (int) (TRAINED * text.length());
        List<String> train = List.of(text.substring(0, cut));
        List<String> test = List.of(text.substring(cut));
        try (Backbone base = model.openToMeasure(opener)) {
            TextTask task = Tasks.text(window).secondHalves();
            int tokens = tokens(base, train);
            int measured = tokens(base, test);
            if (tokens < 2 || measured < 2) {
                throw new InvalidConfigException("--data " + data + ": expected text of which nine tenths and the last"
                        + " tenth have two tokens or more, found " + tokens + " and " + measured
                        + "; give a longer one");
            }
            AdapterTrainer<String> trainer = recipe.applyTo(
                    AdapterTrainer.on(base).method(methodOptions.config(method)).task(task), IntStream.of(window));
            Evaluation before = Measurement.of(base, trainer.untrained(), task, test);
            RunSummary run = new RunSummary();
            Adapter adapter =
                    trainer.listener(run).listener(ProgressBar.toStderr()).fit(train);
            Evaluation after = Measurement.of(base, adapter, task, test);
            print(
                    before,
                    after,
                    run,
                    (double) recipe.epochs() * tokens / run.seconds(),
                    Measurement.bytesOnDisk(adapter));
        }
        return 0;
    }

    private static int tokens(Backbone base, List<String> texts) {
        return base.tokenizer().encodePlain(texts.get(0)).length;
    }

    private String read() {
        try {
            return Files.readString(data);
        } catch (IOException e) {
            throw new PeftException(
                    "--data " + data + ": expected a text file in UTF-8, found none that can be read (" + e.getMessage()
                            + "); check the path",
                    e);
        }
    }

    private void print(Evaluation before, Evaluation after, RunSummary run, double tokensPerSecond, long bytes) {
        new JsonLine()
                .put("side", "peftj")
                .put("data", data.toAbsolutePath().normalize().getFileName().toString())
                .put("method", method)
                .put("dtype", model.dtypeName())
                .put("window", window)
                .put("lr", recipe.learningRate())
                .put("epochs", recipe.epochs())
                .put("seed", recipe.seed())
                .putRounded("nll_before", before.loss(), 4)
                .putRounded("nll", after.loss(), 4)
                .putRounded("train_s", run.seconds(), 1)
                .putRounded("tokens_per_s", tokensPerSecond, 1)
                .put("trainable", run.trainable())
                .put("file_bytes", bytes)
                .put("peak_rss_mib", Rss.peakMib())
                .print(command.commandLine().getOut());
    }
}
