package io.peftj.djl.train;

import io.peftj.core.run.Row;
import io.peftj.core.run.Stack;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One row to learn from, as token ids.
 *
 * <p>What is learnt is either a class of the whole row, or the tokens from some place on; the token before predicts each.
 */
public final class Example {
    private static final int NONE = -1;

    private final long number;
    private final int[] ids;
    private final int @Nullable [] types;
    private final int label;
    private final int answer;

    private Example(long number, int[] ids, int @Nullable [] types, int label, int answer) {
        this.number = number;
        this.ids = ids.clone();
        this.types = types == null ? null : types.clone();
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

    /** Tells examples apart. */
    public long number() {
        return number;
    }

    /** Number of tokens. */
    public int length() {
        return ids.length;
    }

    /** A token's id. */
    public int id(int token) {
        return ids[token];
    }

    /** The class, or −1. */
    public int label() {
        return label;
    }

    /** The first token that is learnt, or −1 where a class is. */
    public int answer() {
        return answer;
    }

    /** Number of things learnt: tokens, or one class. */
    public int learnt() {
        return answer == NONE ? 1 : ids.length - answer;
    }

    /** The row under a stack of adapters. */
    public Row row(Stack stack) {
        return new Row(ids, types, stack, number);
    }

    /** Examples of one optimiser step, each under the adapters it trains, by number in the step's list. */
    public record Assigned(Example example, List<Integer> adapters) {
        /** Keeps a copy. */
        public Assigned {
            adapters = List.copyOf(adapters);
        }
    }
}
