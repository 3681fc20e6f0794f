package io.peftj.djl.train;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.adapter.Pooling;
import io.peftj.core.adapter.TaskData;
import io.peftj.core.adapter.TaskType;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.TextEncoder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Bringing the vectors of texts that belong together close to each other, by the other rows of the batch: each anchor should be nearer to its own positive
 * than to the others' (multiple negatives ranking, arXiv 1705.00652, as sentence-transformers has it). The larger the batch, the more it learns from.
 *
 * <p>Positives in the batch that are known to be no negatives are left out: copies of the own positive, positives of the same anchor, and the anchor's own
 * text. So a few descriptions may be the positives of many texts.
 *
 * <p>A text that is too long loses its end; special tokens stay. Put what a model wants before questions or passages, such as "query: ", into the texts.
 *
 * @param maxLength the most tokens of a text, special ones included; null for as many as the model takes
 * @param pooling how a text's states become one vector
 * @param template what each text is put into, {text} standing for it; null for the text alone
 * @param scale what cosines are multiplied with before the softmax, the inverse of a temperature
 * @param recallAt how many of the most similar texts evaluations look among, what counts most first
 */
public record EmbeddingTask(
        @Nullable Integer maxLength,
        Pooling pooling,
        @Nullable String template,
        double scale,
        List<Integer> recallAt) implements Task<TextPair> {
    /** Checks the numbers. */
    public EmbeddingTask {
        TaskChecks.checkLength(maxLength);
        recallAt = List.copyOf(recallAt);
        if (!(scale > 0 && scale <= 1000)) {
            throw new InvalidConfigException(
                    "the scale of cosines: expected a number above 0, up to 1000, found " + scale + "; 20 is usual");
        }
        if (recallAt.isEmpty() || recallAt.stream().anyMatch(k -> k < 1)) {
            throw new InvalidConfigException(
                    "recall: expected numbers of texts to look among, at least 1, found " + recallAt);
        }
    }

    /** The task of an adapter, to measure it or to train it further, with the usual scale. */
    public static EmbeddingTask of(TaskData data) {
        EmbeddingTask usual = Tasks.embedding();
        Pooling pooling = data.pooling();
        return new EmbeddingTask(
                data.maxLength(),
                pooling == null ? usual.pooling() : pooling,
                data.promptTemplate(),
                usual.scale(),
                usual.recallAt());
    }

    /** The same for texts of at most so many tokens. */
    public EmbeddingTask maxLength(int tokens) {
        return new EmbeddingTask(tokens, pooling, template, scale, recallAt);
    }

    /** The same with another way to make one vector of a text. */
    public EmbeddingTask pooling(Pooling other) {
        return new EmbeddingTask(maxLength, other, template, scale, recallAt);
    }

    /** The same with texts put into a template, {text} standing for them. */
    public EmbeddingTask template(String around) {
        return new EmbeddingTask(maxLength, pooling, around, scale, recallAt);
    }

    /** The same with another scale. */
    public EmbeddingTask scale(double factor) {
        return new EmbeddingTask(maxLength, pooling, template, factor, recallAt);
    }

    /** The same with evaluations that look among other numbers of texts. */
    public EmbeddingTask recallAt(Integer... numbers) {
        return new EmbeddingTask(maxLength, pooling, template, scale, List.of(numbers));
    }

    @Override
    public BackboneSpec spec(Backbone base) {
        HeadSpec head = base.spec().head();
        if (head != null) {
            throw new InvalidConfigException("the model " + base.spec().architecture() + " has the head \""
                    + head.name() + "\", which embeddings do not go through; open the body alone, such as BertModel");
        }
        return base.spec();
    }

    @Override
    public List<TaskType> types(Backbone base) {
        return List.of(TaskType.FEATURE_EXTRACTION);
    }

    @Override
    public Objective objective(Backbone base) {
        return new InBatchNegatives(pooling, scale, recallAt);
    }

    @Override
    public TaskData data(Backbone base) {
        return new TaskData(
                List.of(), template, maxLength, pooling, base.tokenizer().fingerprint());
    }

    @Override
    public List<Example> examples(Backbone base, AdapterPlan plan, Iterable<TextPair> rows) {
        TextEncoder encoder = TextEncoder.of(base, data(base), plan.positionShift());
        List<Example> examples = new ArrayList<>();
        for (TextPair row : rows) {
            examples.add(Example.pair(examples.size(), encoder.row(row.anchor()), encoder.row(row.positive())));
        }
        return examples;
    }
}
