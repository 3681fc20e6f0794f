package io.peftj.core.run;

import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** What the first axis of a tensor counts: tokens, rows, or a choice of tokens. Groups of rows with one stack stand together on it. */
public final class Places {
    /** In the place of a token's number: the place stands for its whole row. */
    public static final int WHOLE_ROW = Integer.MIN_VALUE;

    private final int[] offsets;
    private final int[] rows;
    private final int[] tokens;

    /**
     * Places; the arrays are taken over.
     *
     * @param offsets where each group begins, and at the end the total
     * @param rows the batch's row of each place
     * @param tokens the place's token within its row: below 0 for virtual ones, {@link #WHOLE_ROW} where a place stands for the whole row
     */
    Places(int[] offsets, int[] rows, int[] tokens) {
        this.offsets = offsets;
        this.rows = rows;
        this.tokens = tokens;
    }

    /** Number of places. */
    public int size() {
        return rows.length;
    }

    /** Where a group begins; {@code offset(groups)} is the total. */
    public int offset(int group) {
        return offsets[group];
    }

    /** Where all groups begin, and the total, as a copy. */
    public int[] offsets() {
        return offsets.clone();
    }

    /** The batch's row of a place. */
    public int row(int place) {
        return rows[place];
    }

    /** A range of places. */
    record Range(int begin, int end) {
        /** The places' part of a tensor whose first axis counts all of them. */
        Tensor of(Tensor x) {
            return begin == 0 && end == x.shape().dim(0) ? x : x.slice(0, begin, end);
        }
    }

    /**
     * Computes neighbouring groups with equal keys together, and joins the parts.
     *
     * @param ofGroup a key each group
     */
    <K extends @Nullable Object> Tensor byGroup(List<K> ofGroup, BiFunction<K, Range, Tensor> part) {
        List<Tensor> parts = new ArrayList<>();
        int first = 0;
        for (int g = 1; g <= ofGroup.size(); g++) {
            if (g == ofGroup.size() || !Objects.equals(ofGroup.get(g), ofGroup.get(first))) {
                Range range = new Range(offset(first), offset(g));
                if (range.begin() < range.end()) {
                    parts.add(part.apply(ofGroup.get(first), range));
                }
                first = g;
            }
        }
        return Tensor.concat(parts, 0);
    }

    /** A place's token within its row, or {@link #WHOLE_ROW}. Virtual tokens before the row's own have numbers below 0, the last one −1. */
    public int token(int place) {
        return tokens[place];
    }
}
