package io.peftj.djl.train;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.PeftException;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.adapter.Pooling;
import io.peftj.core.adapter.TaskData;
import io.peftj.core.adapter.TaskType;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.TextEncoder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Telling which class a text belongs to. A text that is too long loses its end; special tokens stay.
 *
 * @param labels the classes' names, in the order of the logits
 * @param maxLength the most tokens of a row, special ones included; null for as many as the model takes
 * @param pooling how a row's states become one vector; null for the model's own way
 * @param template what the text is put into, {text} standing for it; null for the text alone
 */
public record ClassificationTask(
        List<String> labels,
        @Nullable Integer maxLength,
        @Nullable Pooling pooling,
        @Nullable String template) implements Task<LabelledText> {
    /** Checks the labels. */
    public ClassificationTask {
        labels = List.copyOf(labels);
        if (labels.size() < 2 || labels.stream().distinct().count() < labels.size()) {
            throw new InvalidConfigException("the labels: expected at least two, each once, found " + labels);
        }
        Lengths.check(maxLength);
    }

    /** The same for rows of at most so many tokens. */
    public ClassificationTask maxLength(int tokens) {
        return new ClassificationTask(labels, tokens, pooling, template);
    }

    /** The same with another way to make one vector of a row. */
    public ClassificationTask pooling(Pooling other) {
        return new ClassificationTask(labels, maxLength, other, template);
    }

    /** The same with texts put into a template, {text} standing for them. */
    public ClassificationTask template(String around) {
        return new ClassificationTask(labels, maxLength, pooling, around);
    }

    /** The head it trains on a model. */
    public HeadSpec head(Backbone base) {
        HeadSpec usual = base.headFor(labels.size());
        return pooling == null ? usual : usual.withPooling(pooling);
    }

    @Override
    public BackboneSpec spec(Backbone base) {
        return base.spec().withHead(head(base));
    }

    @Override
    public List<TaskType> types(Backbone base) {
        // PEFT opens a bare model as a feature extractor: it has no class for it with a head.
        return base.spec().isBare()
                ? List.of(TaskType.FEATURE_EXTRACTION, TaskType.SEQ_CLS)
                : List.of(TaskType.SEQ_CLS, TaskType.FEATURE_EXTRACTION);
    }

    @Override
    public Objective objective(Backbone base) {
        return new Objective.Classification(head(base));
    }

    @Override
    public TaskData data(Backbone base) {
        return new TaskData(
                labels,
                template,
                maxLength,
                head(base).pooling(),
                base.tokenizer().fingerprint());
    }

    @Override
    public List<Example> examples(Backbone base, AdapterPlan plan, Iterable<LabelledText> rows) {
        TextEncoder encoder = TextEncoder.of(base, data(base), plan.positionShift());
        Map<String, Integer> classes = new HashMap<>();
        labels.forEach(label -> classes.put(label, classes.size()));
        List<Example> examples = new ArrayList<>();
        for (LabelledText row : rows) {
            Integer label = classes.get(row.label());
            if (label == null) {
                throw new PeftException("row " + examples.size() + " (\"" + TextEncoder.beginning(row.text())
                        + "\") has the label \"" + row.label() + "\", which the task does not know; known are " + labels
                        + "; add it to the task or correct the row");
            }
            examples.add(Example.classified(examples.size(), label, encoder.row(row.text())));
        }
        return examples;
    }
}
