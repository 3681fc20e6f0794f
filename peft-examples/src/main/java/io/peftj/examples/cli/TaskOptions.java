package io.peftj.examples.cli;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.TaskData;
import io.peftj.djl.data.Datasets;
import io.peftj.djl.train.AnswerTask;
import io.peftj.djl.train.ChatTask;
import io.peftj.djl.train.ClassificationTask;
import io.peftj.djl.train.EmbeddingTask;
import io.peftj.djl.train.LabelledText;
import io.peftj.djl.train.Tasks;
import io.peftj.djl.train.TextTask;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How texts become rows of tokens, and what counts how much. */
final class TaskOptions {
    /** Tokens of a row where texts are cut into rows. */
    private static final int WINDOW = 512;

    @Option(
            names = "--max-length",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "The most tokens of a row; if not given, as many as the model takes, or " + WINDOW
                    + " for texts to continue.")
    private @Nullable Integer maxLength;

    @Option(
            names = "--template",
            paramLabel = "TEXT",
            description = "What a text or prompt is put into, {text} standing for it; the text alone if not given.")
    private @Nullable String template;

    @Option(
            names = "--label-smoothing",
            defaultValue = "0",
            paramLabel = "SHARE",
            description =
                    "The share of every label that goes to all classes or tokens alike, below 1 (default: ${DEFAULT-VALUE}).")
    private double labelSmoothing;

    @Option(
            names = "--class-weight",
            split = ",",
            paramLabel = "NAME=WEIGHT",
            description = "How much rows of a class count; repeat it for more classes, 1 is for those not named.")
    private Map<String, Double> classWeights = Map.of();

    @Option(
            names = "--balance-classes",
            description = "Weigh classes so that all count alike, however many rows each has.")
    private boolean balanced;

    /** Telling the class of a text. */
    ClassificationTask classification(List<LabelledText> rows) {
        ClassificationTask task = Tasks.classification(Datasets.labels(rows)).labelSmoothing(labelSmoothing);
        task = maxLength == null ? task : task.maxLength(maxLength);
        task = template == null ? task : task.template(template);
        if (balanced && !classWeights.isEmpty()) {
            throw new InvalidConfigException(
                    "--balance-classes and --class-weight both say how much classes count; give one of them");
        }
        return balanced ? task.balancedOver(rows) : task.classWeights(classWeights);
    }

    /** Answering prompts. */
    AnswerTask answers() {
        checkNoClasses();
        AnswerTask task = Tasks.answers().labelSmoothing(labelSmoothing);
        task = maxLength == null ? task : task.maxLength(maxLength);
        return template == null ? task : task.template(template);
    }

    /** Bringing texts that belong together close to each other. */
    EmbeddingTask embedding() {
        checkNoClasses();
        if (labelSmoothing != 0) {
            throw new InvalidConfigException(
                    "--label-smoothing is for classes and tokens, which pairs do not have; leave it out");
        }
        EmbeddingTask task = Tasks.embedding();
        task = maxLength == null ? task : task.maxLength(maxLength);
        return template == null ? task : task.template(template);
    }

    /** Speaking the assistant's part of conversations. */
    ChatTask chat() {
        checkNoClasses();
        checkNoTemplate();
        ChatTask task = Tasks.chat().labelSmoothing(labelSmoothing);
        return maxLength == null ? task : task.maxLength(maxLength);
    }

    /** Continuing texts. */
    TextTask text() {
        checkNoClasses();
        checkNoTemplate();
        return Tasks.text(maxLength == null ? WINDOW : maxLength).labelSmoothing(labelSmoothing);
    }

    /** Continuing texts as an adapter was trained to. */
    static TextTask text(TaskData data) {
        Integer window = data.maxLength();
        return Tasks.text(window == null ? WINDOW : window);
    }

    private void checkNoTemplate() {
        if (template != null) {
            throw new InvalidConfigException("--template is for texts with a label, prompts and pairs; conversations"
                    + " have the model's own, and texts to continue have none; leave it out");
        }
    }

    private void checkNoClasses() {
        if (balanced || !classWeights.isEmpty()) {
            throw new InvalidConfigException(
                    "--class-weight and --balance-classes are for rows with a text and a label; leave them out");
        }
    }
}
