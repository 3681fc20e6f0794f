package io.peftj.djl.train;

import io.peftj.core.run.Row;
import io.peftj.core.run.Stack;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one example is as token ids: a row, or a pair of rows.
 *
 * <p>What is learnt is a class of the row, or some of its tokens, each predicted by the token before, or that the two of a pair belong together.
 */
public final class Example {
    private static final int NONE = -1;

    private final long number;
    private final int[] ids;
    private final int @Nullable [] other;
    private final int label;
    private final BitSet learnt;

    private Example(long number, int[] ids, int @Nullable [] other, int label, BitSet learnt) {
        this.number = number;
        this.ids = ids.clone();
        this.other = other == null ? null : other.clone();
        this.label = label;
        this.learnt = learnt;
    }

    /**
     * A row with a class.
     *
     * @param number tells examples apart in the random generator, whatever batch they come in
     */
    public static Example classified(long number, int label, int... ids) {
        return new Example(number, ids, null, label, new BitSet());
    }

    /**
     * A row whose tokens from {@code answer} on are learnt.
     *
     * @param answer the first token that is learnt; 0 only where virtual tokens stand before the row, since its first token has nothing else before it
     */
    public static Example answered(long number, int answer, int... ids) {
        if (answer < 0 || answer > ids.length) {
            throw new IllegalArgumentException(
                    "the answer begins at token " + answer + " of " + ids.length + "; expected 0 to " + ids.length);
        }
        BitSet learnt = new BitSet();
        learnt.set(answer, ids.length);
        return answered(number, learnt, ids);
    }

    /**
     * A row of which some tokens are learnt.
     *
     * @param learnt their numbers; 0 only where virtual tokens stand before the row
     */
    public static Example answered(long number, BitSet learnt, int... ids) {
        if (learnt.length() > ids.length) {
            throw new IllegalArgumentException("the tokens " + learnt + " of " + ids.length
                    + " are to be learnt; expected numbers from 0 to " + (ids.length - 1));
        }
        return new Example(number, ids, null, NONE, (BitSet) learnt.clone());
    }

    /** Two rows that belong together. */
    public static Example pair(long number, int[] anchor, int[] positive) {
        return new Example(number, anchor, positive, NONE, new BitSet());
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
        return learnt.nextSetBit(0);
    }

    /** Whether a token is learnt. */
    public boolean isLearnt(int token) {
        return learnt.get(token);
    }

    /** Number of things learnt: tokens, one class, or one pair. */
    public int learnt() {
        return label == NONE && other == null ? learnt.cardinality() : 1;
    }

    /** Number of learnt things that evaluations measure: a row's first token is none, so that methods with and without virtual tokens compare. */
    public int measured() {
        return learnt() - (learnt.get(0) ? 1 : 0);
    }

    /** The row, or both rows, under a stack of adapters; of a row with learnt tokens, those before the first are the prompt. */
    public List<Row> rows(Stack stack) {
        if (other == null) {
            Row row = new Row(ids, null, stack, number);
            return List.of(learnt.isEmpty() ? row : row.prompted(answer()));
        }
        // A pair's rows draw their dropout by numbers of their own.
        return List.of(new Row(ids, null, stack, 2 * number), new Row(other, null, stack, 2 * number + 1));
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
