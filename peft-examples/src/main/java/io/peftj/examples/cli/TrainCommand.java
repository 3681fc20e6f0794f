package io.peftj.examples.cli;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.train.AdapterTrainer;
import io.peftj.djl.train.JsonLinesMetrics;
import io.peftj.djl.train.LabelledText;
import io.peftj.djl.train.ProgressBar;
import io.peftj.examples.cli.data.Rows;
import io.peftj.examples.cli.data.TextFiles;
import io.peftj.examples.cli.data.TextRow;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
            "With --validation the adapter is evaluated after each epoch and the best one is written, otherwise the last."
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
        List<TextRow> train = TextFiles.read(data);
        List<TextRow> check = validation == null ? List.of() : TextFiles.read(validation);
        createOutputFolder();
        RunSummary summary = new RunSummary();
        try (Backbone base = model.open(opener)) {
            AdapterFiles.save(fit(base, train, check, summary), out);
        }
        summary.json(method).print(command.commandLine().getOut());
        return 0;
    }

    /** Finds out before hours of training whether there is a place for the result. */
    private void createOutputFolder() {
        try {
            Files.createDirectories(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Adapter fit(Backbone base, List<TextRow> train, List<TextRow> check, RunSummary summary) {
        AdapterTrainer.Method trainer = AdapterTrainer.on(base).method(methodOptions.config(method));
        if (Rows.areLabelled(train)) {
            List<LabelledText> rows = Rows.labelled(train);
            return fit(
                    trainer.task(taskOptions.classification(Rows.labels(rows))), rows, Rows.labelled(check), summary);
        }
        return fit(trainer.task(taskOptions.answers()), Rows.answered(train), Rows.answered(check), summary);
    }

    private <R> Adapter fit(AdapterTrainer<R> trainer, List<R> train, List<R> check, RunSummary summary) {
        recipe.applyTo(trainer).listener(summary).listener(ProgressBar.toStderr());
        if (metrics != null) {
            trainer.listener(JsonLinesMetrics.to(metrics));
        }
        return trainer.fit(train, check);
    }
}
