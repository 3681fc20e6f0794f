package io.peftj.core.adapter;

import java.util.stream.IntStream;

/**
 * Which tokens of a prompt of n are meant: the first min(⌊n/2⌋, first) and the last min(⌊n/2⌋, last) (arXiv 2404.03592).
 *
 * @param first how many of the first, at least 0
 * @param last how many of the last, at least 0
 * @param lengthOffset what n differs from the prompt's length by: 0, or −1 to leave its last token out
 */
public record PromptPlaces(int first, int last, int lengthOffset) {
    /** The tokens' numbers, rising. */
    public int[] of(int promptLength) {
        int n = Math.max(0, promptLength + lengthOffset);
        int begin = Math.min(n / 2, first);
        int end = n - Math.min(n / 2, last);
        return IntStream.concat(IntStream.range(0, begin), IntStream.range(end, n))
                .toArray();
    }
}
