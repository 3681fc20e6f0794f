package io.peftj.examples.cli;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.train.AdapterTrainer;
import io.peftj.djl.train.Checkpoints;
import io.peftj.djl.train.JsonLinesMetrics;
import io.peftj.djl.train.LabelledText;
import io.peftj.djl.train.ProgressBar;
import io.peftj.djl.train.TrainingListener;
import io.peftj.examples.cli.data.Rows;
import io.peftj.examples.cli.data.TextFiles;
import io.peftj.examples.cli.data.TextRow;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
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
            "Trains an adapter on a CSV or JSONL file: to classify, from the columns text and label, or to answer, from the"
                    + " columns prompt and answer.",
            "With --validation the adapter is evaluated after each epoch and the best one is written, otherwise the last.",
            "With --checkpoints a training that was interrupted, even killed, goes on when the same command is given with"
                    + " --resume, and gives the same adapter as if it had not been interrupted."
        })
final class TrainCommand implements Callable<Integer> {
    private final ModelOpener opener;

    @Spec
    private CommandSpec command;

    @Mixin
    private ModelOptions model;

    @Option(names = "--data", required = true, paramLabel = "FILE", description = "The rows to learn from.")
    private Path data;

    @Option(names = "--validation", paramLabel = "FILE", description = "Rows to evaluate on after each epoch.")
    private @Nullable Path validation;

    @Option(
            names = "--method",
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

    TrainCommand(ModelOpener opener) {
        this.opener = opener;
    }

    @Override
    public Integer call() {
        Checkpoints rules = checkpoints.rules();
        List<TextRow> train = TextFiles.read(data);
        List<TextRow> check = validation == null ? List.of() : TextFiles.read(validation);
        createOutputFolder();
        RunSummary summary = new RunSummary();
        Follow follow = new Follow(listeners(summary), rules);
        try (Backbone base = model.open(opener)) {
            AdapterFiles.save(fit(base, train, check, follow), out);
        }
        summary.json(method).print(command.commandLine().getOut());
        return 0;
    }

    /** What goes on beside the training. */
    private record Follow(
            List<TrainingListener> listeners, @Nullable Checkpoints checkpoints) {}

    private List<TrainingListener> listeners(RunSummary summary) {
        List<TrainingListener> listeners = new ArrayList<>(List.of(summary, ProgressBar.toStderr()));
        if (metrics != null) {
            listeners.add(JsonLinesMetrics.to(metrics));
        }
        return listeners;
    }

    /** Finds out before hours of training whether there is a place for the result. */
    private void createOutputFolder() {
        try {
            Files.createDirectories(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Adapter fit(Backbone base, List<TextRow> train, List<TextRow> check, Follow follow) {
        AdapterTrainer.Method trainer = AdapterTrainer.on(base).method(methodOptions.config(method));
        if (Rows.areLabelled(train)) {
            List<LabelledText> rows = Rows.labelled(train);
            return fit(trainer.task(taskOptions.classification(rows)), rows, Rows.labelled(check), follow);
        }
        return fit(trainer.task(taskOptions.answers()), Rows.answered(train), Rows.answered(check), follow);
    }

    private <R> Adapter fit(AdapterTrainer<R> trainer, List<R> train, List<R> check, Follow follow) {
        recipe.applyTo(trainer);
        follow.listeners().forEach(trainer::listener);
        if (follow.checkpoints() == null) {
            return trainer.fit(train, check);
        }
        try (ShutdownSignal signal = ShutdownSignal.listen()) {
            return trainer.checkpoints(follow.checkpoints())
                    .cancelWhen(signal::isGiven)
                    .fit(train, check);
        }
    }
}
