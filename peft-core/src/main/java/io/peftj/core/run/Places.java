package io.peftj.core.run;

/** What the first axis of a tensor counts: tokens, rows, or a choice of tokens. Groups of rows with one stack stand together on it. */
public final class Places {
    private final int[] offsets;
    private final int[] rows;
    private final int[] tokens;

    /**
     * Places; the arrays are taken over.
     *
     * @param offsets where each group begins, and at the end the total
     * @param rows the batch's row of each place
     * @param tokens the place's token within its row; −1 where a place stands for the whole row
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

    /** A place's token within its row, or −1 for the whole row. */
    public int token(int place) {
        return tokens[place];
    }
}
