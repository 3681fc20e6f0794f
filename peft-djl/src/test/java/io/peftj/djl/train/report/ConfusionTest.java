package io.peftj.djl.train.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.djl.train.report.Confusion.Mistake;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConfusionTest {
    private static final Confusion CONFUSION =
            new Confusion(List.of("a", "b", "c", "none"), List.of(0, 0, 0, 1, 1, 2), List.of(0, 1, 1, 1, 0, 2));

    @Test
    void mistakesAreListedByTheirFrequency() {
        assertThat(CONFUSION.mistakes()).containsExactly(new Mistake(0, 1, 2), new Mistake(1, 0, 1));
    }

    @Test
    void qualitiesAreThoseOfTheDefinitions() {
        assertThat(CONFUSION.qualities())
                .satisfiesExactly(
                        a -> {
                            assertThat(a.precision()).isEqualTo(1 / 2.0);
                            assertThat(a.recall()).isEqualTo(1 / 3.0);
                            assertThat(a.f1()).isEqualTo(2 / 5.0);
                        },
                        b -> {
                            assertThat(b.precision()).isEqualTo(1 / 3.0);
                            assertThat(b.recall()).isEqualTo(1 / 2.0);
                            assertThat(b.f1()).isEqualTo(2 / 5.0);
                        },
                        c -> assertThat(c.f1()).isEqualTo(1),
                        none -> assertThat(none.f1()).isNaN());
    }
}
