package io.peftj.examples.prefixlimits;

import java.util.Arrays;
import java.util.function.UnaryOperator;

/** What a model is to write after a sequence of digits 0 to 7: as many digits again. */
enum Task {
    /** The digits in ascending order. */
    ASCENDING(digits -> sorted(digits, 1)),
    /** The digits in descending order. */
    DESCENDING(digits -> sorted(digits, -1)),
    /** Each digit plus one; 0 follows 7. */
    ADD_ONE(digits -> added(digits, 1)),
    /** Each digit plus two. */
    ADD_TWO(digits -> added(digits, 2)),
    /** For each digit, how many times it occurs, itself included: what the authors call the double histogram. RASP's (arXiv 2106.06981) is another one. */
    DOUBLE_HISTOGRAM(Task::doubleHistogram);

    /** Digits there are. */
    static final int DIGITS = 8;

    @SuppressWarnings("ImmutableEnumChecker") // functions of their argument alone
    private final UnaryOperator<int[]> answer;

    Task(UnaryOperator<int[]> answer) {
        this.answer = answer;
    }

    int[] answer(int... digits) {
        return answer.apply(digits);
    }

    private static int[] sorted(int[] digits, int direction) {
        int[] sorted =
                Arrays.stream(digits).map(digit -> direction * digit).sorted().toArray();
        return Arrays.stream(sorted).map(digit -> direction * digit).toArray();
    }

    private static int[] added(int[] digits, int number) {
        return Arrays.stream(digits).map(digit -> (digit + number) % DIGITS).toArray();
    }

    private static int[] doubleHistogram(int... digits) {
        int[] counts = new int[DIGITS];
        for (int digit : digits) {
            counts[digit]++;
        }
        return Arrays.stream(digits).map(digit -> counts[digit]).toArray();
    }
}
