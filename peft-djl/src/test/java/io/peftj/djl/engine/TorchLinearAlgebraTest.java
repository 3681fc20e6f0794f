package io.peftj.djl.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.core.tensor.LinearAlgebra;
import io.peftj.testkit.LinearAlgebraContract;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

class TorchLinearAlgebraTest extends LinearAlgebraContract {
    private long before;

    @BeforeEach
    void count() {
        before = Engines.SHARED.memory().liveBytes();
    }

    @AfterEach
    void nothingIsLeftAlive() {
        assertThat(Engines.SHARED.memory().liveBytes()).isEqualTo(before);
    }

    @Override
    protected LinearAlgebra algebra() {
        return Engines.SHARED.linearAlgebra();
    }
}
