package io.peftj.djl.serve;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.Pooling;
import io.peftj.core.run.Run;
import io.peftj.core.tensor.Tensor;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.serve.Rows.Tokens;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Makes a vector of a text: the mean of its tokens' last hidden states, as sentence encoders do, or what an adapter was trained to make of them. Thread-safe.
 *
 * <p>Texts are put into the template and cut to the length that their adapter was trained with.
 */
public final class Embedder implements AutoCloseable {
    private final Source source;
    private final boolean normalised;

    private Embedder(Source source, boolean normalised) {
        this.source = source;
        this.normalised = normalised;
    }

    /** The base model's own embeddings. */
    public static Embedder of(Backbone base) {
        return new Embedder(Source.of(base), false);
    }

    /**
     * Embeddings under an adapter.
     *
     * @throws io.peftj.core.IncompatibleAdapterException if the adapter was made for another model
     */
    public static Embedder of(Backbone base, Adapter adapter) {
        return new Embedder(Source.of(base, adapter), false);
    }

    /** Embeddings under the adapters of a registry, by the names that requests give; the registry stays the caller's to close. */
    public static Embedder of(Adapters adapters) {
        return new Embedder(Source.of(adapters), false);
    }

    /** The same embedder with vectors of Euclidean length 1, so that a dot product is a cosine. Closing either closes both. */
    public Embedder normalised() {
        return new Embedder(source, true);
    }

    /** {@link #embed(List)} of one text. */
    public float[] embed(String text) {
        return embed(List.of(text)).get(0);
    }

    /**
     * The vectors of texts, each [width of the model]; those too long for the model lose their end.
     *
     * @throws IllegalStateException if the embedder was made of a registry, where every request names its adapter, or is closed
     */
    public List<float[]> embed(List<String> texts) {
        return embedEach(source.requests(texts));
    }

    /**
     * The vectors of requests, each [width of the model] and under its own adapter.
     *
     * @throws UnknownAdapterException if a request names an adapter that is not in the registry; nothing is computed
     */
    public List<float[]> embedEach(List<Request> requests) {
        try (Adapters.Leased leased = source.lease(requests)) {
            List<Tokens> rows = new ArrayList<>();
            for (Request request : requests) {
                ServedAdapter adapter = leased.of(request.adapter());
                rows.add(
                        new Tokens(ServedAdapter.encoder(source.base(), adapter).row(request.text()), adapter));
            }
            return new Rows(source.base()).each("embed", rows, row -> pooling(row.adapter()), this::vectors);
        }
    }

    private static Pooling pooling(@Nullable ServedAdapter adapter) {
        Pooling trained = adapter == null ? null : adapter.adapter().task().pooling();
        return trained == null ? Pooling.MEAN : trained;
    }

    private List<float[]> vectors(Run run, Pooling pooling) {
        Backbone base = source.base();
        Tensor pooled = base.outputs().pool(run, base.transformer().hiddenStates(run), pooling);
        int width = pooled.shape().dim(1);
        float[] values = pooled.toHost().values();
        List<float[]> rows = new ArrayList<>();
        for (int from = 0; from < values.length; from += width) {
            float[] row = Arrays.copyOfRange(values, from, from + width);
            rows.add(normalised ? normalise(row) : row);
        }
        return rows;
    }

    private static float[] normalise(float[] vector) {
        double squares = 0;
        for (float value : vector) {
            squares += (double) value * value;
        }
        double length = Math.max(Math.sqrt(squares), 1e-12);
        float[] unit = new float[vector.length];
        for (int i = 0; i < unit.length; i++) {
            unit[i] = (float) (vector[i] / length);
        }
        return unit;
    }

    @Override
    public void close() {
        source.close();
    }
}
