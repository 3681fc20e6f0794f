package io.peftj.djl.generate;

import io.peftj.core.run.ResidentAdapter;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/** Token ids to continue, under adapters, by at most so many tokens. */
public final class Prompt {
    private final int[] ids;
    private final List<ResidentAdapter> adapters;
    private final int maxTokens;
    private final TokenChooser chooser;
    private final Set<Integer> ends;

    private Prompt(int[] ids, List<ResidentAdapter> adapters, int maxTokens, TokenChooser chooser, Set<Integer> ends) {
        this.ids = ids;
        this.adapters = adapters;
        this.maxTokens = maxTokens;
        this.chooser = chooser;
        this.ends = ends;
    }

    /**
     * A prompt to the base model alone, continued with the likeliest token each time.
     *
     * @param maxTokens the most tokens that may follow, the end token counted
     * @throws IllegalArgumentException if no token may follow
     */
    public static Prompt of(int maxTokens, int... ids) {
        if (maxTokens < 1) {
            throw new IllegalArgumentException("tokens of an answer: expected at least 1, found " + maxTokens);
        }
        return new Prompt(ids.clone(), List.of(), maxTokens, Sampling.GREEDY, Set.of());
    }

    /** The same prompt under adapters, in the order they act in; they stay open until it is answered. */
    public Prompt under(ResidentAdapter... inOrder) {
        return new Prompt(ids, List.of(inOrder), maxTokens, chooser, ends);
    }

    /** The same prompt continued with tokens that are chosen in another way. */
    public Prompt choosing(TokenChooser other) {
        return new Prompt(ids, adapters, maxTokens, other, ends);
    }

    /** The same prompt with tokens that end it besides those that end every row. */
    public Prompt endingAlsoAt(Collection<Integer> tokens) {
        return new Prompt(ids, adapters, maxTokens, chooser, Set.copyOf(tokens));
    }

    /** The ids, as a copy. */
    public int[] ids() {
        return ids.clone();
    }

    /** Number of ids. */
    public int length() {
        return ids.length;
    }

    /** Tokens of its adapters' own that stand before it. */
    int virtualTokens() {
        return adapters.stream()
                .mapToInt(adapter -> adapter.plan().plan().virtualTokens())
                .sum();
    }

    /** The adapters in the order they act in. */
    public List<ResidentAdapter> adapters() {
        return adapters;
    }

    /** The most tokens that may follow. */
    public int maxTokens() {
        return maxTokens;
    }

    /** Chooses its next token. */
    public TokenChooser chooser() {
        return chooser;
    }

    /** Tokens that end it besides those that end every row. */
    public Set<Integer> ends() {
        return ends;
    }

    @Override
    public String toString() {
        return "Prompt" + Arrays.toString(ids) + " under " + adapters.size() + " adapters";
    }
}
