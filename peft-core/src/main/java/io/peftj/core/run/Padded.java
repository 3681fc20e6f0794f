package io.peftj.core.run;

import io.peftj.core.PeftException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Packs batches that callers padded to one length: padding exists nowhere inside. */
public final class Padded {
    private final int width;
    private final int[] begins;
    private final int[] lengths;

    private Padded(int width, int[] begins, int[] lengths) {
        this.width = width;
        this.begins = begins;
        this.lengths = lengths;
    }

    /**
     * Finds each row's real tokens.
     *
     * @param mask [rows, width] row-major, 1 for real tokens, 0 for padding on one side or both
     * @throws PeftException if a row is all padding or has padding between real tokens
     */
    public static Padded of(int width, long... mask) {
        int rows = mask.length / width;
        int[] begins = new int[rows];
        int[] lengths = new int[rows];
        for (int r = 0; r < rows; r++) {
            long[] row = Arrays.copyOfRange(mask, r * width, (r + 1) * width);
            int begin = 0;
            while (begin < width && row[begin] == 0) {
                begin++;
            }
            int end = width;
            while (end > begin && row[end - 1] == 0) {
                end--;
            }
            if (begin == end) {
                throw new PeftException(
                        "row " + r + " of the attention mask is all padding; every row needs at least one token");
            }
            for (int i = begin; i < end; i++) {
                if (row[i] != 1) {
                    throw new PeftException("row " + r + " of the attention mask has " + row[i] + " at place " + i
                            + ", between real tokens; expected ones in one piece, with padding before or behind");
                }
            }
            begins[r] = begin;
            lengths[r] = end - begin;
        }
        return new Padded(width, begins, lengths);
    }

    /** Number of rows. */
    public int rows() {
        return begins.length;
    }

    /** The padded length. */
    public int width() {
        return width;
    }

    /** Where a row's real tokens begin. */
    public int begin(int row) {
        return begins[row];
    }

    /** Number of a row's real tokens. */
    public int length(int row) {
        return lengths[row];
    }

    /** The real entries of a row of a padded array [rows, width]. */
    public int[] real(int row, long[] padded) {
        int[] real = new int[lengths[row]];
        for (int i = 0; i < real.length; i++) {
            real[i] = Math.toIntExact(padded[row * width + begins[row] + i]);
        }
        return real;
    }

    /** A row without its padding. */
    public Row row(int row, long[] ids, long @Nullable [] types, Stack stack) {
        return new Row(real(row, ids), types == null ? null : real(row, types), stack, row);
    }
}
