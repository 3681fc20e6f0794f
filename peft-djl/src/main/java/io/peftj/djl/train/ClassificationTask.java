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
 * @param labelSmoothing the share of a label that all classes have alike, 0 to below 1
 * @param classWeights how much rows of a class count, above 0; 1 for those not named
 */
public record ClassificationTask(
        List<String> labels,
        @Nullable Integer maxLength,
        @Nullable Pooling pooling,
        @Nullable String template,
        double labelSmoothing,
        Map<String, Double> classWeights)
        implements Task<LabelledText> {
    /** Checks labels and numbers. */
    public ClassificationTask {
        labels = List.copyOf(labels);
        classWeights = Map.copyOf(classWeights);
        if (labels.size() < 2 || labels.stream().distinct().count() < labels.size()) {
            throw new InvalidConfigException("the labels: expected at least two, each once, found " + labels);
        }
        TaskChecks.checkLength(maxLength);
        TaskChecks.checkSmoothing(labelSmoothing);
        checkWeights(labels, classWeights);
    }

    private static void checkWeights(List<String> labels, Map<String, Double> weights) {
        weights.forEach((label, weight) -> {
            if (!labels.contains(label)) {
                throw new InvalidConfigException("the class weights: \"" + label
                        + "\" is none of the task's labels, which are " + labels + "; correct its spelling");
            }
            if (!(weight > 0 && Double.isFinite(weight))) {
                throw new InvalidConfigException("the class weight of \"" + label
                        + "\": expected a number above 0, found " + weight
                        + "; leave out the rows of a class that is not to count");
            }
        });
    }

    /** The task of an adapter, to measure it or to train it further. */
    public static ClassificationTask of(TaskData data) {
        return new ClassificationTask(
                data.labels(), data.maxLength(), data.pooling(), data.promptTemplate(), 0, Map.of());
    }

    /** The same for rows of at most so many tokens. */
    public ClassificationTask maxLength(int tokens) {
        return new ClassificationTask(labels, tokens, pooling, template, labelSmoothing, classWeights);
    }

    /** The same with another way to make one vector of a row. */
    public ClassificationTask pooling(Pooling other) {
        return new ClassificationTask(labels, maxLength, other, template, labelSmoothing, classWeights);
    }

    /** The same with texts put into a template, {text} standing for them. */
    public ClassificationTask template(String around) {
        return new ClassificationTask(labels, maxLength, pooling, around, labelSmoothing, classWeights);
    }

    /** The same where a share of every label goes to all classes alike (arXiv 1512.00567), in training only. */
    public ClassificationTask labelSmoothing(double share) {
        return new ClassificationTask(labels, maxLength, pooling, template, share, classWeights);
    }

    /**
     * The same where classes count differently in training: the loss is the mean over rows, each with its class's weight, as PyTorch's CrossEntropyLoss
     * has it.
     */
    public ClassificationTask classWeights(Map<String, Double> weights) {
        return new ClassificationTask(labels, maxLength, pooling, template, labelSmoothing, weights);
    }

    /** The same with weights under which all classes of some rows count alike, however many rows each has: rows / (classes · rows of the class). */
    public ClassificationTask balancedOver(Iterable<LabelledText> rows) {
        Map<String, Integer> counts = new HashMap<>();
        rows.forEach(row -> counts.merge(row.label(), 1, Integer::sum));
        double all = counts.values().stream().mapToInt(Integer::intValue).sum();
        Map<String, Double> weights = new HashMap<>();
        counts.forEach((label, count) -> weights.put(label, all / (counts.size() * count)));
        return classWeights(weights);
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
        List<Double> weights = classWeights.isEmpty()
                ? List.of()
                : labels.stream()
                        .map(label -> classWeights.getOrDefault(label, 1.0))
                        .toList();
        return new Objective.Classification(head(base), labelSmoothing, weights);
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
