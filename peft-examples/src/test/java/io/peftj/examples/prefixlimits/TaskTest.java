package io.peftj.examples.prefixlimits;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TaskTest {
    @ParameterizedTest
    @CsvSource({
        "ASCENDING, 3 1 3 7 1 0, 0 1 1 3 3 7",
        "DESCENDING, 3 1 3 7 1 0, 7 3 3 1 1 0",
        "ADD_ONE, 3 1 3 7 1 0, 4 2 4 0 2 1",
        "ADD_TWO, 3 1 3 7 1 0, 5 3 5 1 3 2",
        "DOUBLE_HISTOGRAM, 3 1 3 7 1 0, 2 2 2 1 2 1",
        "DOUBLE_HISTOGRAM, 5 5 5 2 6 6, 3 3 3 1 2 2",
        "DOUBLE_HISTOGRAM, 0 1 2 3 3 3, 1 1 1 3 3 3"
    })
    void tasksHaveTheirAnswers(Task task, String digits, String answer) {
        assertThat(task.answer(digits(digits))).containsExactly(digits(answer));
    }

    private static int[] digits(String text) {
        return Arrays.stream(text.split(" ")).mapToInt(Integer::parseInt).toArray();
    }
}
