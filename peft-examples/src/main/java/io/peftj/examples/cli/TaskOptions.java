package io.peftj.examples.cli;

import io.peftj.djl.train.AnswerTask;
import io.peftj.djl.train.ClassificationTask;
import io.peftj.djl.train.Tasks;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How texts become rows of tokens. */
final class TaskOptions {
    @Option(
            names = "--max-length",
            paramLabel = "N",
            converter = Numbers.Count.class,
            description = "The most tokens of a row; as many as the model takes if not given.")
    private @Nullable Integer maxLength;

    @Option(
            names = "--template",
            paramLabel = "TEXT",
            description = "What a text or prompt is put into, {text} standing for it; the text alone if not given.")
    private @Nullable String template;

    /** Telling the class of a text. */
    ClassificationTask classification(List<String> labels) {
        ClassificationTask task = Tasks.classification(labels);
        task = maxLength == null ? task : task.maxLength(maxLength);
        return template == null ? task : task.template(template);
    }

    /** Answering prompts. */
    AnswerTask answers() {
        AnswerTask task = Tasks.answers();
        task = maxLength == null ? task : task.maxLength(maxLength);
        return template == null ? task : task.template(template);
    }
}
