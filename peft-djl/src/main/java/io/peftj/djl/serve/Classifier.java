package io.peftj.djl.serve;

import io.peftj.core.PeftException;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.adapter.Pooling;
import io.peftj.core.run.Run;
import io.peftj.core.tensor.Tensor;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.serve.Rows.Tokens;
import io.peftj.djl.train.Softmax;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Tells which class texts belong to, under one adapter or under an adapter a request. Thread-safe.
 *
 * <p>Texts are put into the template and cut to the length that the adapter was trained with. A classifier of one adapter keeps it in memory until it, or its
 * backbone, is closed.
 */
public final class Classifier implements AutoCloseable {
    private final Source source;

    private Classifier(Source source) {
        this.source = source;
    }

    /**
     * A classifier with one adapter.
     *
     * @throws io.peftj.core.IncompatibleAdapterException if the adapter was made for another model
     */
    public static Classifier of(Backbone base, Adapter adapter) {
        return new Classifier(Source.of(base, adapter));
    }

    /** A classifier with the adapters of a registry, by the names that requests give; the registry stays the caller's to close. */
    public static Classifier of(Adapters adapters) {
        return new Classifier(Source.of(adapters));
    }

    /** {@link #classify(List)} of one text. */
    public Classification classify(String text) {
        return classify(List.of(text)).get(0);
    }

    /**
     * Classifies texts with the classifier's one adapter.
     *
     * @throws IllegalStateException if the classifier was made of a registry, where every request names its adapter, or is closed
     */
    public List<Classification> classify(List<String> texts) {
        return classifyEach(source.requests(texts));
    }

    /**
     * Classifies requests together, each under its own adapter, or under the base model's own head where it names none.
     *
     * @throws UnknownAdapterException if a request names an adapter that is not in the registry; nothing is computed
     * @throws PeftException if a request's adapter is no classifier
     */
    public List<Classification> classifyEach(List<Request> requests) {
        try (Adapters.Leased leased = source.lease(requests)) {
            // Heads of one pooling are found by one name, whatever they have of classes; most batches have one pooling.
            Map<Pooling, HeadSpec> heads = new EnumMap<>(Pooling.class);
            List<Tokens> rows = new ArrayList<>();
            for (Request request : requests) {
                ServedAdapter adapter = leased.of(request.adapter());
                heads.putIfAbsent(head(adapter).pooling(), head(adapter));
                rows.add(
                        new Tokens(ServedAdapter.encoder(source.base(), adapter).row(request.text()), adapter));
            }
            List<float[]> logits = new Rows(source.base())
                    .each(
                            "classify",
                            rows,
                            row -> Objects.requireNonNull(
                                    heads.get(head(row.adapter()).pooling())),
                            this::logits);
            List<Classification> results = new ArrayList<>();
            for (int i = 0; i < rows.size(); i++) {
                double[] logProbabilities = Softmax.log(logits.get(i));
                results.add(
                        Classification.of(labels(rows.get(i).adapter(), logProbabilities.length), logProbabilities));
            }
            return List.copyOf(results);
        }
    }

    /** Each row's logits: groups may have different numbers of classes. */
    private List<float[]> logits(Run run, HeadSpec head) {
        Backbone base = source.base();
        Tensor hidden = base.transformer().hiddenStates(run);
        List<float[]> rows = new ArrayList<>();
        for (Tensor group : base.outputs().classLogits(run, hidden, head)) {
            int classes = group.shape().dim(1);
            float[] values = group.toHost().values();
            for (int from = 0; from < values.length; from += classes) {
                rows.add(Arrays.copyOfRange(values, from, from + classes));
            }
        }
        return rows;
    }

    private HeadSpec head(@Nullable ServedAdapter adapter) {
        HeadSpec head = adapter == null ? source.base().spec().head() : adapter.head();
        if (head == null) {
            throw new PeftException(
                    adapter == null
                            ? "the base model has no classification head; let requests name an adapter"
                            : "adapter " + adapter.resident().name()
                                    + " is no classifier; use one that was trained for classification");
        }
        return head;
    }

    /** Hugging Face's names where the adapter brings none, as PEFT's files do. */
    private static List<String> labels(@Nullable ServedAdapter adapter, int classes) {
        List<String> labels =
                adapter == null ? List.of() : adapter.adapter().task().labels();
        return labels.isEmpty()
                ? IntStream.range(0, classes).mapToObj(i -> "LABEL_" + i).toList()
                : labels;
    }

    @Override
    public void close() {
        source.close();
    }
}
