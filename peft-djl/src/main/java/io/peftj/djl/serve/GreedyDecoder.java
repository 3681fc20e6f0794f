package io.peftj.djl.serve;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.run.Batch;
import io.peftj.core.run.Run;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Tensor;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.serve.Rows.Tokens;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Continues prompts with the likeliest token each time, by a whole forward pass a token: simple and exact, for evaluation and short answers of small models;
 * the time grows with the square of the length. Thread-safe.
 */
public final class GreedyDecoder implements AutoCloseable {
    private final Source source;
    private final int maxTokens;

    private GreedyDecoder(Source source, int maxTokens) {
        if (maxTokens < 1) {
            throw new IllegalArgumentException("tokens of an answer: expected at least 1, found " + maxTokens);
        }
        this.source = source;
        this.maxTokens = maxTokens;
    }

    /** The base model's own answers, of at most 64 tokens. */
    public static GreedyDecoder of(Backbone base) {
        return new GreedyDecoder(Source.of(base), 64);
    }

    /**
     * Answers under an adapter, of at most 64 tokens.
     *
     * @throws io.peftj.core.IncompatibleAdapterException if the adapter was made for another model
     */
    public static GreedyDecoder of(Backbone base, Adapter adapter) {
        return new GreedyDecoder(Source.of(base, adapter), 64);
    }

    /** Answers under the adapters of a registry, by the names that requests give, of at most 64 tokens; the registry stays the caller's to close. */
    public static GreedyDecoder of(Adapters adapters) {
        return new GreedyDecoder(Source.of(adapters), 64);
    }

    /** The same decoder with answers of at most so many tokens. */
    public GreedyDecoder maxTokens(int tokens) {
        return new GreedyDecoder(source, tokens);
    }

    /** Continues prompts, put into the template the adapter was trained with. */
    public List<String> decode(List<String> prompts) {
        return decodeEach(source.requests(prompts));
    }

    /**
     * Continues requests together, each under its own adapter, until an end token, the most tokens or the model's last position.
     *
     * @return the answers without prompts and end tokens
     * @throws UnknownAdapterException if a request names an adapter that is not in the registry; nothing is computed
     */
    public List<String> decodeEach(List<Request> requests) {
        Backbone base = source.base();
        try (Adapters.Leased leased = source.lease(requests)) {
            List<Answer> answers = new ArrayList<>();
            for (Request request : requests) {
                ServedAdapter adapter = leased.of(request.adapter());
                answers.add(new Answer(
                        ServedAdapter.encoder(base, adapter).prompt(request.text()),
                        adapter,
                        base.spec().positions()));
            }
            List<Answer> open = answers;
            for (int token = 0; token < maxTokens && !open.isEmpty(); token++) {
                next(open);
                open = open.stream().filter(answer -> !answer.ended).toList();
            }
            return answers.stream()
                    .map(answer -> base.tokenizer().decode(answer.text()))
                    .toList();
        }
    }

    private void next(List<Answer> open) {
        List<Integer> tokens = new Rows(source.base())
                .each(
                        "decode",
                        open.stream()
                                .map(answer -> new Tokens(answer.ids, answer.adapter))
                                .toList(),
                        this::likeliest);
        Set<Integer> ends = Set.copyOf(source.base().endTokens());
        for (int i = 0; i < open.size(); i++) {
            open.get(i).add(tokens.get(i), ends);
        }
    }

    private List<Integer> likeliest(Run run) {
        Backbone base = source.base();
        Batch batch = run.batch();
        int[] last = new int[batch.rows().size()];
        Arrays.setAll(last, row -> batch.layout().begin(row + 1) - 1);
        Tensor hidden = base.transformer().hiddenStates(run);
        Tensor states = hidden.gather(
                run.session().index(Arrays.stream(last).asLongStream().toArray()));
        Tensor logits = base.outputs().logits(run, states, batch.select(last)).cast(DType.F32);
        int vocabulary = logits.shape().dim(1);
        float[] values = logits.toHost().values();
        List<Integer> tokens = new ArrayList<>();
        for (int from = 0; from < values.length; from += vocabulary) {
            int best = 0;
            for (int id = 1; id < vocabulary; id++) {
                best = values[from + id] > values[from + best] ? id : best;
            }
            tokens.add(best);
        }
        return tokens;
    }

    /** A prompt and what follows it so far. */
    private static final class Answer {
        private final int prompt;
        private final @Nullable ServedAdapter adapter;
        private final int most;
        private int[] ids;
        private boolean ended;

        Answer(int[] prompt, @Nullable ServedAdapter adapter, int positions) {
            this.prompt = prompt.length;
            this.adapter = adapter;
            this.most = positions
                    - (adapter == null ? 0 : adapter.resident().plan().plan().positionShift());
            this.ids = prompt;
        }

        void add(int token, Set<Integer> ends) {
            if (ends.contains(token)) {
                ended = true;
                return;
            }
            ids = Arrays.copyOf(ids, ids.length + 1);
            ids[ids.length - 1] = token;
            ended = ids.length >= most;
        }

        int[] text() {
            return Arrays.copyOfRange(ids, prompt, ids.length);
        }
    }

    @Override
    public void close() {
        source.close();
    }
}
