package io.peftj.testkit;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import io.peftj.testkit.reference.ReferenceBackend;
import java.util.List;
import org.junit.jupiter.api.Test;

class GradientCheckTest {
    private static final Shape PAIR = Shape.of(2);

    @Test
    void acceptsARightGradient() {
        GradientCheck.on(ReferenceBackend.exact(), 1)
                .input("x", PAIR, 0.5, -2)
                .input("y", DType.F32, HostTensor.of(PAIR, 3, 0.25f))
                .check((session, in) ->
                        List.of(in.get("x").cast(DType.F32).times(in.get("y")).exp(), in.get("x")));
    }

    @Test
    void namesTheInputElementAndSeedOfAWrongOne() {
        GradientCheck check = GradientCheck.on(ReferenceBackend.exact(), 77).input("x", PAIR, 0.5, -2);
        assertThatThrownBy(() -> check.check((session, in) -> {
                    Tensor x = in.get("x");
                    return List.of(x.times(x.detach()));
                }))
                .isInstanceOf(AssertionError.class)
                .hasMessageMatching("the gradient of x\\[2] at element [01] is \\S+, finite differences say \\S+ "
                        + "\\(allowed error \\S+, seed 77\\)");
    }

    @Test
    void findsAnErrorOfOneInAMillion() {
        GradientCheck check = GradientCheck.on(ReferenceBackend.exact(), 1).input("x", PAIR, 0.5, -2);
        assertThatThrownBy(() -> check.check((session, in) ->
                        List.of(in.get("x").plus(in.get("x").detach().affine(1e-6, 0)))))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("finite differences say");
    }

    @Test
    void reportsMemoryThatIsLeftBehind() {
        ReferenceBackend backend = ReferenceBackend.exact();
        GradientCheck check = GradientCheck.on(backend, 1).input("x", Shape.of(1), 2);
        assertThatThrownBy(() -> check.check((session, in) -> {
                    Tensor y = in.get("x").affine(2, 0);
                    y.buffer().retain();
                    return List.of(y);
                }))
                .isInstanceOf(AssertionError.class)
                .hasMessage("the computation left 24 bytes alive after its sessions were closed");
    }
}
