package io.peftj.examples.cli;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.data.Datasets;
import io.peftj.djl.data.RowKind;
import io.peftj.djl.train.AdapterTrainer;
import io.peftj.djl.train.Checkpoints;
import io.peftj.djl.train.JsonLinesMetrics;
import io.peftj.djl.train.LabelledText;
import io.peftj.djl.train.ProgressBar;
import io.peftj.djl.train.Task;
import io.peftj.djl.train.TrainingListener;
import io.peftj.djl.train.report.HtmlReport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Trains an adapter on a file of texts. */
@Command(
        name = "train",
        header = "Trains an adapter on a file of texts.",
        description = {
            "Trains an adapter on a CSV or JSONL file: to classify, from the columns text and label; to answer, from prompt and"
                    + " answer, or from messages, which are conversations in JSON as OpenAI's API has them; to embed what"
                    + " belongs together alike, from anchor and positive; or to continue texts, from text alone.",
            "With --validation the adapter is evaluated after each epoch and the best one is written, otherwise the last.",
            "With --checkpoints a training that was interrupted, even killed, goes on when the same command is given with"
                    + " --resume, and gives the same adapter as if it had not been interrupted."
        })
final class TrainCommand implements Callable<Integer> {
    private final ModelOpener opener;

    @Spec
    private CommandSpec command;

    @Mixin
    @SuppressWarnings("UnusedVariable") // it gives the other options values
    private ConfigOption config;

    @Mixin
    private ModelOptions model;

    @Option(names = "--data", required = true, paramLabel = "FILE", description = "The rows to learn from.")
    private Path data;

    @Option(names = "--validation", paramLabel = "FILE", description = "Rows to evaluate on after each epoch.")
    private @Nullable Path validation;

    @Option(
            names = "--method",
            completionCandidates = MethodOptions.Names.class,
            defaultValue = "lora",
            paramLabel = "METHOD",
            description = "How to adapt the model: " + MethodOptions.NAMES + " (default: ${DEFAULT-VALUE}).")
    private String method;

    @Mixin
    private MethodOptions methodOptions;

    @Mixin
    private TaskOptions taskOptions;

    @Mixin
    private RecipeOptions recipe;

    @Mixin
    private CheckpointOptions checkpoints;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "Where the adapter goes.")
    private Path out;

    @Option(
            names = "--metrics",
            paramLabel = "FILE",
            description = "Write a line of JSON for every step, evaluation and epoch.")
    private @Nullable Path metrics;

    @Option(
            names = "--report",
            paramLabel = "FILE",
            description = "Draw the run on a web page: one HTML file, written anew as it goes.")
    private @Nullable Path report;

    TrainCommand(ModelOpener opener) {
        this.opener = opener;
    }

    @Override
    public Integer call() {
        Checkpoints rules = checkpoints.rules();
        Work<?> work = work();
        createOutputFolder();
        RunSummary summary = new RunSummary();
        Follow follow = new Follow(listeners(summary), rules);
        try (Backbone base = model.open(opener)) {
            AdapterFiles.save(fit(base, work, follow), out);
        }
        summary.json(method).print(command.commandLine().getOut());
        return 0;
    }

    /** What is learnt from which rows. */
    private record Work<R>(Task<R> task, List<R> train, List<R> check) {}

    private Work<?> work() {
        return switch (RowKind.of(data)) {
            case LABELLED -> {
                List<LabelledText> rows = Datasets.labelled(data);
                yield new Work<>(taskOptions.classification(rows), rows, check(Datasets::labelled));
            }
            case ANSWERED -> new Work<>(taskOptions.answers(), Datasets.answers(data), check(Datasets::answers));
            case PAIRED -> new Work<>(taskOptions.embedding(), Datasets.pairs(data), check(Datasets::pairs));
            case CONVERSATION ->
                new Work<>(taskOptions.chat(), Datasets.conversations(data), check(Datasets::conversations));
            case PLAIN -> new Work<>(taskOptions.text(), Datasets.texts(data), check(Datasets::texts));
        };
    }

    private <R> List<R> check(Function<Path, List<R>> read) {
        return validation == null ? List.of() : read.apply(validation);
    }

    /** What goes on beside the training. */
    private record Follow(
            List<TrainingListener> listeners, @Nullable Checkpoints checkpoints) {}

    private List<TrainingListener> listeners(RunSummary summary) {
        List<TrainingListener> listeners = new ArrayList<>(List.of(summary, ProgressBar.toStderr()));
        if (metrics != null) {
            listeners.add(JsonLinesMetrics.to(metrics));
        }
        if (report != null) {
            listeners.add(report(report));
        }
        return listeners;
    }

    /** Names of files alone: a report is made to be passed on. */
    private HtmlReport report(Path file) {
        HtmlReport html = HtmlReport.to(file)
                .title(name(out))
                .fact("model", name(model.path()))
                .fact("method", method)
                .fact("training data", name(data));
        return validation == null ? html : html.fact("validation data", name(validation));
    }

    private static String name(Path path) {
        return path.toAbsolutePath().normalize().getFileName().toString();
    }

    /** Finds out before hours of training whether there is a place for the result. */
    private void createOutputFolder() {
        try {
            Files.createDirectories(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private <R> Adapter fit(Backbone base, Work<R> work, Follow follow) {
        AdapterTrainer<R> trainer =
                AdapterTrainer.on(base).method(methodOptions.config(method)).task(work.task());
        recipe.applyTo(trainer);
        follow.listeners().forEach(trainer::listener);
        if (follow.checkpoints() == null) {
            return trainer.fit(work.train(), work.check());
        }
        try (ShutdownSignal signal = ShutdownSignal.listen()) {
            return trainer.checkpoints(follow.checkpoints())
                    .cancelWhen(signal::isGiven)
                    .fit(work.train(), work.check());
        }
    }
}
