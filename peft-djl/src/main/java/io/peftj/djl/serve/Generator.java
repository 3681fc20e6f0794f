package io.peftj.djl.serve;

import io.peftj.core.adapter.Adapter;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.generate.Decoder;
import io.peftj.djl.generate.Prompt;
import io.peftj.djl.generate.TokenChooser;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Continues prompts with the likeliest token each time, under one adapter or under an adapter a request, until the model ends or the most tokens are
 * reached. Thread-safe.
 *
 * <p>Rows advance together, with their keys and values kept. Unless {@link #maxTokens} says otherwise, at most {@value #MOST_TOKENS} tokens follow a
 * prompt, fewer where the model has no more positions.
 */
public final class Generator implements AutoCloseable {
    private static final int MOST_TOKENS = 64;

    private final Source source;
    private final @Nullable Integer maxTokens;
    private final UnaryOperator<Decoder> settings;

    private Generator(Source source, @Nullable Integer maxTokens, UnaryOperator<Decoder> settings) {
        this.source = source;
        this.maxTokens = maxTokens;
        this.settings = settings;
    }

    private static Generator of(Source source) {
        return new Generator(source, null, decoder -> decoder);
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

    /**
     * The same generator with texts of at most so many tokens, for which every prompt must leave room.
     *
     * @throws IllegalArgumentException if it is below 1
     */
    public Generator maxTokens(int tokens) {
        if (tokens < 1) {
            throw new IllegalArgumentException("tokens of a text: expected at least 1, found " + tokens);
        }
        return new Generator(source, tokens, settings);
    }

    /** The same generator with another way to choose tokens. */
    public Generator choosing(TokenChooser chooser) {
        return with(decoder -> decoder.choosing(chooser));
    }

    /** Asked between layers whether to stop, on any thread; so is the thread's interruption. */
    public Generator cancelWhen(BooleanSupplier asked) {
        return with(decoder -> decoder.cancelWhen(asked));
    }

    private Generator with(UnaryOperator<Decoder> setting) {
        return new Generator(source, maxTokens, decoder -> setting.apply(settings.apply(decoder)));
    }

    /** Continues one prompt with the generator's one adapter. */
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

    /** Continues one request under its own adapter. */
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
        Backbone base = source.base();
        try (Adapters.Leased leased = source.lease(requests)) {
            List<Prompt> prompts = new ArrayList<>();
            for (Request request : requests) {
                prompts.add(prompt(request.text(), leased.of(request.adapter())));
            }
            return settings.apply(Decoder.on(base)).decode(prompts).stream()
                    .map(continuation -> Completion.of(base.tokenizer(), continuation))
                    .toList();
        }
    }

    private Prompt prompt(String text, @Nullable ServedAdapter adapter) {
        Backbone base = source.base();
        int[] ids = ServedAdapter.encoder(base, adapter).prompt(text);
        if (adapter == null) {
            return Prompt.of(most(ids.length, 0), ids);
        }
        int shift = adapter.resident().plan().plan().positionShift();
        return Prompt.of(most(ids.length, shift), ids).under(adapter.resident());
    }

    /** Where nothing was asked for, what there is room for; a prompt without any is refused with all others. */
    private int most(int prompt, int shift) {
        int room = source.base().spec().positions() - shift - prompt;
        return maxTokens == null ? Math.max(1, Math.min(MOST_TOKENS, room)) : maxTokens;
    }

    @Override
    public void close() {
        source.close();
    }
}
