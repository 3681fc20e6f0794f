package io.peftj.examples.cli;

import io.peftj.core.PeftException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.TaskData;
import io.peftj.djl.backbone.AdapterLoader;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.data.Datasets;
import io.peftj.djl.data.RowKind;
import io.peftj.djl.train.AnswerTask;
import io.peftj.djl.train.ChatTask;
import io.peftj.djl.train.ClassificationTask;
import io.peftj.djl.train.EmbeddingTask;
import io.peftj.djl.train.Evaluation;
import io.peftj.djl.train.Example;
import io.peftj.djl.train.LabelledText;
import io.peftj.djl.train.PromptAnswer;
import io.peftj.djl.train.Task;
import io.peftj.djl.train.report.EvaluationReport;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.LongFunction;
import java.util.stream.IntStream;
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
                "Measures an adapter on a CSV or JSONL file with the columns that \"train\" knows, and prints its loss (the mean"
                        + " negative log-likelihood of a row's label, of a token that is learnt, or of a pair), and its accuracy and"
                        + " macro F1, its perplexity, or its recall among the most similar texts. Texts become tokens as they did in"
                        + " training.")
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

    @Option(
            names = "--report",
            paramLabel = "FILE",
            description = "Draw the result on a web page: one HTML file with confusions, and the rows found hardest.")
    private @Nullable Path report;

    EvalCommand(ModelOpener opener) {
        this.opener = opener;
    }

    @Override
    public Integer call() {
        RowKind kind = RowKind.of(data);
        try (Backbone base = model.open(opener)) {
            measure(kind, base, AdapterLoader.load(adapter, base))
                    .print(command.commandLine().getOut());
        }
        return 0;
    }

    private JsonLine measure(RowKind kind, Backbone base, Adapter loaded) {
        TaskData task = loaded.task();
        return switch (kind) {
            case LABELLED ->
                measure(base, loaded, ClassificationTask.of(labelled(task)), Datasets.labelled(data), "rows");
            case ANSWERED -> measure(base, loaded, AnswerTask.of(task), Datasets.answers(data), "tokens");
            case PAIRED -> measure(base, loaded, EmbeddingTask.of(task), Datasets.pairs(data), "pairs");
            case CONVERSATION -> measure(base, loaded, ChatTask.of(task), Datasets.conversations(data), "tokens");
            case PLAIN -> measure(base, loaded, TaskOptions.text(task), Datasets.texts(data), "tokens");
        };
    }

    /**
     * One line.
     *
     * @param learnt what the loss is the mean over
     */
    private <R> JsonLine measure(Backbone base, Adapter loaded, Task<R> task, List<R> rows, String learnt) {
        Evaluation result =
                report == null ? Measurement.of(base, loaded, task, rows) : reported(report, base, loaded, task, rows);
        JsonLine line = new JsonLine().put("loss", result.loss());
        result.scores().forEach((metric, value) -> line.put(metric.name(), value));
        return line.put(learnt, result.learnt()).put("rows", rows.size());
    }

    private <R> Evaluation reported(Path file, Backbone base, Adapter loaded, Task<R> task, List<R> rows) {
        List<String> names = task.data(base).labels();
        return Measurement.of(
                base,
                loaded,
                task,
                rows,
                (objective, predictor, examples) -> written(
                        file, EvaluationReport.of(objective, predictor, examples, names, texts(base, rows, examples))));
    }

    private Evaluation written(Path file, EvaluationReport details) {
        details.title(name(adapter) + " on " + name(data))
                .fact("model", name(model.path()))
                .fact("adapter", name(adapter))
                .fact("data", name(data))
                .write(file);
        return details.evaluation();
    }

    /** Names of files alone: a report is made to be passed on. */
    private static String name(Path path) {
        return path.toAbsolutePath().normalize().getFileName().toString();
    }

    /** Rows as their file has them; parts of texts as the tokenizer reads them. */
    private static <R> LongFunction<String> texts(Backbone base, List<R> rows, List<Example> examples) {
        return number -> {
            Example example = examples.get((int) number);
            R row = rows.get((int) Math.min(number, rows.size() - 1));
            if (row instanceof LabelledText labelled) {
                return labelled.text();
            }
            return row instanceof PromptAnswer answered
                    ? answered.prompt() + " → " + answered.answer()
                    : base.tokenizer()
                            .decode(IntStream.range(0, example.length())
                                    .map(example::id)
                                    .toArray());
        };
    }

    private TaskData labelled(TaskData task) {
        if (labels == null && task.labels().isEmpty()) {
            throw new PeftException(
                    "the adapter's files do not name its classes; give them by --labels, in the order of the logits");
        }
        return labels == null
                ? task
                : new TaskData(
                        labels, task.promptTemplate(), task.maxLength(), task.pooling(), task.tokenizerFingerprint());
    }
}
