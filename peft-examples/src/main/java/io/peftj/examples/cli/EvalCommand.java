package io.peftj.examples.cli;

import io.peftj.core.PeftException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.TaskData;
import io.peftj.djl.backbone.AdapterLoader;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.train.AnswerTask;
import io.peftj.djl.train.ClassificationTask;
import io.peftj.djl.train.Evaluation;
import io.peftj.examples.cli.data.Rows;
import io.peftj.examples.cli.data.TextFiles;
import io.peftj.examples.cli.data.TextRow;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Measures an adapter on a file of texts. */
@Command(
        name = "eval",
        header = "Measures an adapter on a file of texts.",
        description =
                "Measures an adapter on a CSV or JSONL file with the columns text and label, or prompt and answer, and prints"
                        + " its loss (the mean negative log-likelihood of a row's label or of an answer's token), and its accuracy and"
                        + " macro F1, or its perplexity. Texts become tokens as they did in training.")
final class EvalCommand implements Callable<Integer> {
    private final ModelOpener opener;

    @Spec
    private CommandSpec command;

    @Mixin
    private ModelOptions model;

    @Option(names = "--adapter", required = true, paramLabel = "DIR", description = "The adapter to measure.")
    private Path adapter;

    @Option(names = "--data", required = true, paramLabel = "FILE", description = "The rows to measure on.")
    private Path data;

    @Option(
            names = "--labels",
            split = ",",
            paramLabel = "NAME",
            description = "The classes' names in the order of the logits, for an adapter whose files do not have them.")
    private @Nullable List<String> labels;

    EvalCommand(ModelOpener opener) {
        this.opener = opener;
    }

    @Override
    public Integer call() {
        List<TextRow> rows = TextFiles.read(data);
        try (Backbone base = model.open(opener)) {
            measure(base, AdapterLoader.load(adapter, base), rows)
                    .put("rows", rows.size())
                    .print(command.commandLine().getOut());
        }
        return 0;
    }

    private JsonLine measure(Backbone base, Adapter loaded, List<TextRow> rows) {
        TaskData task = loaded.task();
        if (Rows.areLabelled(rows)) {
            ClassificationTask classes = new ClassificationTask(
                    labels(task), task.maxLength(), task.pooling(), task.promptTemplate(), 0, Map.of());
            return line(Measurement.of(base, loaded, classes, Rows.labelled(rows)));
        }
        AnswerTask answers = new AnswerTask(task.maxLength(), task.promptTemplate(), null, 0);
        Evaluation result = Measurement.of(base, loaded, answers, Rows.answered(rows));
        return line(result).put("tokens", result.learnt());
    }

    private static JsonLine line(Evaluation result) {
        JsonLine line = new JsonLine().put("loss", result.loss());
        result.scores().forEach((metric, value) -> line.put(metric.name(), value));
        return line;
    }

    private List<String> labels(TaskData task) {
        if (labels != null) {
            return labels;
        }
        if (task.labels().isEmpty()) {
            throw new PeftException(
                    "the adapter's files do not name its classes; give them by --labels, in the order of the logits");
        }
        return task.labels();
    }
}
