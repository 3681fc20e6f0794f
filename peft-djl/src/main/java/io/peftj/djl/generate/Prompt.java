package io.peftj.djl.generate;

import io.peftj.core.run.ResidentAdapter;
import java.util.Arrays;
import java.util.List;

/** Token ids to continue, under adapters, by at most so many tokens. */
public final class Prompt {
    private final int[] ids;
    private final List<ResidentAdapter> adapters;
    private final int maxTokens;

    private Prompt(int[] ids, List<ResidentAdapter> adapters, int maxTokens) {
        this.ids = ids.clone();
        this.adapters = List.copyOf(adapters);
        this.maxTokens = maxTokens;
    }

    /**
     * A prompt to the base model alone.
     *
     * @param maxTokens the most tokens that may follow, the end token counted
     * @throws IllegalArgumentException if no token may follow
     */
    public static Prompt of(int maxTokens, int... ids) {
        if (maxTokens < 1) {
            throw new IllegalArgumentException("tokens of an answer: expected at least 1, found " + maxTokens);
        }
        return new Prompt(ids, List.of(), maxTokens);
    }

    /** The same prompt under adapters, in the order they act in; they stay open until it is answered. */
    public Prompt under(ResidentAdapter... inOrder) {
        return new Prompt(ids, List.of(inOrder), maxTokens);
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

    @Override
    public String toString() {
        return "Prompt" + Arrays.toString(ids) + " under " + adapters.size() + " adapters";
    }
}
