package io.peftj.djl.train;

import io.peftj.core.run.Row;
import io.peftj.core.run.Stack;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one example is as token ids: a row, or a pair of rows.
 *
 * <p>What is learnt is a class of the row, or the tokens from some place on, each predicted by the token before, or that the two of a pair belong together.
 */
public final class Example {
    private static final int NONE = -1;

    private final long number;
    private final int[] ids;
    private final int @Nullable [] other;
    private final int label;
    private final int answer;

    private Example(long number, int[] ids, int @Nullable [] other, int label, int answer) {
        this.number = number;
        this.ids = ids.clone();
        this.other = other == null ? null : other.clone();
        this.label = label;
        this.answer = answer;
    }

    /**
     * A row with a class.
     *
     * @param number tells examples apart in the random generator, whatever batch they come in
     */
    public static Example classified(long number, int label, int... ids) {
        return new Example(number, ids, null, label, NONE);
    }

    /**
     * A row whose tokens from {@code answer} on are learnt.
     *
     * @param answer the first token that is learnt, at least 1: the first token of a row has nothing before it
     */
    public static Example answered(long number, int answer, int... ids) {
        if (answer < 1 || answer > ids.length) {
            throw new IllegalArgumentException(
                    "the answer begins at token " + answer + " of " + ids.length + "; expected 1 to " + ids.length);
        }
        return new Example(number, ids, null, NONE, answer);
    }

    /** Two rows that belong together. */
    public static Example pair(long number, int[] anchor, int[] positive) {
        return new Example(number, anchor, positive, NONE, NONE);
    }

    /** Tells examples apart. */
    public long number() {
        return number;
    }

    /** Number of tokens, of both rows where there are two. */
    public int length() {
        return ids.length + (other == null ? 0 : other.length);
    }

    /** The id of a token of the row, or of both rows one after the other. */
    public int id(int token) {
        return other == null || token < ids.length ? ids[token] : other[token - ids.length];
    }

    /** The ids of a pair's first row. */
    int[] anchor() {
        return ids.clone();
    }

    /** The ids of a pair's second row. */
    int[] positive() {
        if (other == null) {
            throw new IllegalStateException("the example " + number + " is no pair");
        }
        return other.clone();
    }

    /** The class, or −1. */
    public int label() {
        return label;
    }

    /** The first token that is learnt, or −1 where none is. */
    public int answer() {
        return answer;
    }

    /** Number of things learnt: tokens, one class, or one pair. */
    public int learnt() {
        return answer == NONE ? 1 : ids.length - answer;
    }

    /** The row, or both rows, under a stack of adapters. */
    public List<Row> rows(Stack stack) {
        // A pair's rows draw their dropout by numbers of their own.
        return other == null
                ? List.of(new Row(ids, null, stack, number))
                : List.of(new Row(ids, null, stack, 2 * number), new Row(other, null, stack, 2 * number + 1));
    }

    @Override
    public String toString() {
        return "Example " + number + " " + Arrays.toString(ids) + (other == null ? "" : Arrays.toString(other));
    }

    /** Examples of one optimiser step, each under the adapters it trains, by number in the step's list. */
    public record Assigned(Example example, List<Integer> adapters) {
        /** Keeps a copy. */
        public Assigned {
            adapters = List.copyOf(adapters);
        }
    }
}
