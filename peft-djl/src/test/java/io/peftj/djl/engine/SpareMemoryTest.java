package io.peftj.djl.engine;

import static org.assertj.core.api.Assertions.assertThatCode;

import org.junit.jupiter.api.Test;

class SpareMemoryTest {

    @Test
    void givingBackIsHarmlessOnEverySystemAtAnyTime() {
        SpareMemory spare = new SpareMemory();
        assertThatCode(() -> {
                    spare.giveBack();
                    spare.count(Long.MAX_VALUE / 2);
                    spare.count(1);
                })
                .doesNotThrowAnyException();
    }
}
