package io.peftj.djl.backbone;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class PartsTest {
    private static List<List<Integer>> parts(int count, Integer... tokens) {
        return Parts.of(List.of(tokens), row -> row, count);
    }

    @Test
    void partsHaveAboutAsManyTokensAndKeepTheOrder() {
        assertThat(parts(2, 9, 1, 2, 8, 4)).containsExactly(List.of(0, 1, 2), List.of(3, 4));
        assertThat(parts(3, 5, 5, 5, 5, 5, 5)).containsExactly(List.of(0, 3), List.of(1, 4), List.of(2, 5));
    }

    @Test
    void rowsStayTogetherWhereThereIsOnePartOrTooFewOfThem() {
        assertThat(parts(1, 3, 2, 1)).containsExactly(List.of(0, 1, 2));
        assertThat(parts(4, 3, 2, 1)).containsExactly(List.of(0, 1, 2));
    }
}
