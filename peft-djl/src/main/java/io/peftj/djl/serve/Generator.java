package io.peftj.djl.serve;

import io.peftj.core.adapter.Adapter;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.generate.Continuation;
import io.peftj.djl.generate.Decoder;
import io.peftj.djl.generate.Prompt;
import io.peftj.djl.generate.Sampling;
import io.peftj.djl.generate.TokenChooser;
import io.peftj.djl.generate.TokenListener;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Continues prompts under one adapter or under an adapter a request, until the model ends or the most tokens are reached; with the likeliest token each time
 * unless told otherwise. Thread-safe.
 *
 * <p>Rows advance together, with their keys and values kept. Unless {@link #maxTokens} says otherwise, at most {@value #MOST_TOKENS} tokens follow a
 * prompt, fewer where the model has no more positions.
 */
public final class Generator implements AutoCloseable {
    private static final int MOST_TOKENS = 64;

    private final Source source;
    private final GenerationSettings settings;
    private final @Nullable TokenChooser chooser;
    private final BooleanSupplier cancelled;

    private Generator(
            Source source, GenerationSettings settings, @Nullable TokenChooser chooser, BooleanSupplier cancelled) {
        this.source = source;
        this.settings = settings;
        this.chooser = chooser;
        this.cancelled = cancelled;
    }

    private static Generator of(Source source) {
        return new Generator(source, GenerationSettings.USUAL, null, () -> false);
    }

    /** The base model's own texts. */
    public static Generator of(Backbone base) {
        return of(Source.of(base));
    }

    /**
     * Texts under an adapter.
     *
     * @throws io.peftj.core.IncompatibleAdapterException if the adapter was made for another model
     */
    public static Generator of(Backbone base, Adapter adapter) {
        return of(Source.of(base, adapter));
    }

    /** Texts under the adapters of a registry, by the names that requests give; the registry stays the caller's to close. */
    public static Generator of(Adapters adapters) {
        return of(Source.of(adapters));
    }

    /** The same generator with other settings of all requests that bring none. Closing either closes both, here and below. */
    public Generator with(GenerationSettings other) {
        return new Generator(source, other, chooser, cancelled);
    }

    /**
     * The same generator with texts of at most so many tokens, for which every prompt must leave room.
     *
     * @throws IllegalArgumentException if it is below 1
     */
    public Generator maxTokens(int tokens) {
        return with(settings.withMaxTokens(tokens));
    }

    /** The same generator with tokens that are drawn. */
    public Generator sampling(Sampling sampling) {
        return with(settings.withSampling(sampling));
    }

    /** The same generator with texts that end before the first of these; they are sought in what follows the prompt. */
    public Generator stopAt(String... texts) {
        return with(settings.withStopTexts(List.of(texts)));
    }

    /** The same generator with another way to choose tokens, whatever settings say. */
    public Generator choosing(TokenChooser other) {
        return new Generator(source, settings, other, cancelled);
    }

    /** Asked between layers whether to stop, on any thread; so is the thread's interruption. */
    public Generator cancelWhen(BooleanSupplier asked) {
        return new Generator(source, settings, chooser, asked);
    }

    /** {@link #generate(List)} of one prompt. */
    public Completion generate(String prompt) {
        return generate(List.of(prompt)).get(0);
    }

    /**
     * Continues prompts with the generator's one adapter, put into the template it was trained with.
     *
     * @throws IllegalStateException if the generator was made of a registry, where every request names its adapter
     */
    public List<Completion> generate(List<String> prompts) {
        return generateEach(source.requests(prompts));
    }

    /** {@link #generateEach(List)} of one request. */
    public Completion generate(Request request) {
        return generateEach(List.of(request)).get(0);
    }

    /**
     * Continues requests together, each under its own adapter.
     *
     * @throws UnknownAdapterException if a request names an adapter that is not in the registry; nothing is computed
     * @throws io.peftj.core.PeftException if a prompt has no tokens or, with what may follow, does not fit the model's positions; nothing is computed
     * @throws java.util.concurrent.CancellationException if it was cancelled
     */
    public List<Completion> generateEach(List<Request> requests) {
        return generateEach(requests, TextListener.NONE);
    }

    /** {@link #generateEach(List)} with a listener that gets the texts while they are written, and the same errors. */
    public List<Completion> generateEach(List<Request> requests, TextListener listener) {
        Backbone base = source.base();
        try (Adapters.Leased leased = source.lease(requests)) {
            Streams streams = new Streams(base, listener);
            List<Prompt> prompts = new ArrayList<>();
            for (Request request : requests) {
                GenerationSettings how = request.settings() == null ? settings : request.settings();
                prompts.add(prompt(request, how, leased.of(request.adapter())));
                streams.open(how.stopTexts());
            }
            Decoder.on(base).listening(streams).cancelWhen(cancelled).decode(prompts);
            return streams.completions();
        }
    }

    private Prompt prompt(Request request, GenerationSettings how, @Nullable ServedAdapter adapter) {
        Backbone base = source.base();
        int[] ids = request.whole()
                ? ServedAdapter.encoder(base, null).prompt(request.text())
                : ServedAdapter.encoder(base, adapter).prompt(request.text());
        int shift = adapter == null ? 0 : adapter.resident().plan().plan().positionShift();
        Prompt prompt = Prompt.of(most(how.maxTokens(), ids.length, shift), ids)
                .choosing(chooser == null ? how.sampling() : chooser)
                .endingAlsoAt(how.stopTokens());
        return adapter == null ? prompt : prompt.under(adapter.resident());
    }

    /** Where nothing was asked for, what there is room for; a prompt without any is refused with all others. */
    private int most(@Nullable Integer asked, int prompt, int shift) {
        int room = source.base().spec().positions() - shift - prompt;
        return asked == null ? Math.max(1, Math.min(MOST_TOKENS, room)) : asked;
    }

    /** The texts of requests that are continued together. */
    private static final class Streams implements TokenListener {
        private final Backbone base;
        private final TextListener listener;
        private final List<TextStream> streams = new ArrayList<>();
        private final Map<Integer, Completion> completions = new TreeMap<>();

        Streams(Backbone base, TextListener listener) {
            this.base = base;
            this.listener = listener;
        }

        void open(List<String> stops) {
            streams.add(new TextStream(base.tokenizer(), stops));
        }

        List<Completion> completions() {
            return List.copyOf(completions.values());
        }

        @Override
        public boolean accept(int row, int token) {
            tell(row, streams.get(row).add(token));
            return !streams.get(row).isStopped();
        }

        @Override
        public void done(int row, Continuation continuation) {
            TextStream stream = streams.get(row);
            tell(row, stream.end());
            Completion completion =
                    new Completion(stream.text(), continuation.tokens(), continuation.ended() || stream.isStopped());
            completions.put(row, completion);
            listener.done(row, completion);
        }

        private void tell(int row, String piece) {
            if (!piece.isEmpty()) {
                listener.text(row, piece);
            }
        }
    }

    @Override
    public void close() {
        source.close();
    }
}
