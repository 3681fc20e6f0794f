package io.peftj.djl.generate;

import io.peftj.core.PeftException;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.run.ActiveAdapter;
import io.peftj.core.run.Batch;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.run.Row;
import io.peftj.core.run.Stack;
import io.peftj.core.site.Role;
import io.peftj.djl.backbone.Backbone;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/**
 * Continues prompts of token ids together, each under its own adapters. Immutable and thread-safe.
 *
 * <p>Every pass computes the newest token of each row that goes on, and the whole prompts of rows that begin; keys and values are kept in between. A row
 * that ends leaves its place to one that waits.
 */
public final class Decoder {
    private final Backbone base;
    private final Set<Integer> ends;
    private final TokenListener listener;
    private final BooleanSupplier cancelled;

    private Decoder(Backbone base, Set<Integer> ends, TokenListener listener, BooleanSupplier cancelled) {
        this.base = base;
        this.ends = ends;
        this.listener = listener;
        this.cancelled = cancelled;
    }

    /** A decoder that stops at the model's end tokens. */
    public static Decoder on(Backbone base) {
        return new Decoder(base, Set.copyOf(base.endTokens()), TokenListener.NONE, () -> false);
    }

    /** The same with other tokens that end a row; with none, rows have the most tokens they may have. */
    public Decoder endingAt(Collection<Integer> ids) {
        return new Decoder(base, Set.copyOf(ids), listener, cancelled);
    }

    /** The same with a listener to the tokens as they come. */
    public Decoder listening(TokenListener other) {
        return new Decoder(base, ends, other, cancelled);
    }

    /** Asked between layers whether to stop, on any thread. */
    public Decoder cancelWhen(BooleanSupplier asked) {
        return new Decoder(base, ends, listener, asked);
    }

    /**
     * Continues prompts. Interrupting the thread cancels, as {@link #cancelWhen} does.
     *
     * @return a continuation a prompt, in their order
     * @throws PeftException if the model makes no next-token logits, or a prompt with what may follow it does not fit the model's positions; nothing is
     *     computed
     * @throws java.util.concurrent.CancellationException if it was cancelled
     */
    public List<Continuation> decode(List<Prompt> prompts) {
        try (Backbone.Held held = base.hold("generate")) {
            for (int i = 0; i < prompts.size(); i++) {
                check(base.spec(), prompts.get(i), i);
            }
            List<Sequence> sequences = IntStream.range(0, prompts.size())
                    .mapToObj(i -> new Sequence(prompts.get(i), i, ends))
                    .toList();
            if (!sequences.isEmpty()) {
                run(held, sequences);
            }
            return sequences.stream().map(Sequence::continuation).toList();
        }
    }

    private void run(Backbone.Held held, List<Sequence> sequences) {
        try (Passes passes = Passes.open(base, inOrder(sequences))) {
            while (passes.hasNext()) {
                passes.next(held, cancelled, listener);
            }
        }
    }

    private static void check(BackboneSpec spec, Prompt prompt, int number) {
        if (!spec.decoder() || spec.sites(Role.OUTPUT_EMBEDDING).isEmpty()) {
            throw new PeftException("the model " + spec.architecture()
                    + " makes no next-token logits; open a language model, such as LlamaForCausalLM");
        }
        // Parameters play no part in what is checked.
        Stack stack = new Stack(prompt.adapters().stream()
                .map(adapter -> new ActiveAdapter(adapter.name(), adapter.plan(), Map.of()))
                .toList());
        Batch.check(spec, Row.of(stack, 0, prompt.ids()), number);
        int shift = stack.positionShift();
        if (shift + prompt.length() + prompt.maxTokens() > spec.positions()) {
            throw new PeftException("row " + number + " has a prompt of " + prompt.length() + " tokens"
                    + (shift == 0 ? "" : " after " + shift + " virtual ones") + " and may get " + prompt.maxTokens()
                    + " more, but the model takes at most " + spec.positions()
                    + "; shorten the prompt or ask for fewer tokens");
        }
    }

    /** Rows of equal stacks together, by rising length: so they lie in the cache as batches order them. */
    private static List<Sequence> inOrder(List<Sequence> sequences) {
        Map<List<ResidentAdapter>, List<Sequence>> byStack = new LinkedHashMap<>();
        sequences.forEach(sequence -> byStack.computeIfAbsent(sequence.prompt().adapters(), key -> new ArrayList<>())
                .add(sequence));
        List<Sequence> all = new ArrayList<>();
        byStack.values()
                .forEach(alike -> alike.stream()
                        .sorted(Comparator.comparingInt(
                                sequence -> sequence.prompt().length()))
                        .forEach(all::add));
        return all;
    }
}
