package io.peftj.testkit.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.PeftException;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Encoding;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Updates.AdamW;
import io.peftj.core.tensor.Updates.Moments;
import io.peftj.core.tensor.Weight;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReferenceBackendTest {
    private static final double FINE = 1 + 0x1p-40;

    @Test
    void exactBackendKeepsDoublesWhateverTheFormat() {
        try (Session session = Session.open(ReferenceBackend.exact())) {
            Tensor x = session.tensor(new double[] {FINE}, Shape.of(1)).cast(DType.BF16);
            assertThat(x.dtype()).isEqualTo(DType.BF16);
            assertThat(x.affine(1, 0).toDoubles()).containsExactly(FINE);
        }
    }

    @Test
    void roundingBackendRoundsEveryResultToItsFormat() {
        try (Session session = Session.open(ReferenceBackend.rounding())) {
            Tensor x = session.tensor(new double[] {FINE, 1.0 + 0x1p-7, 1 + 0x1p-8, 1 + 0x1.8p-7}, Shape.of(4));
            assertThat(x.toDoubles()[0]).isEqualTo(FINE);
            assertThat(x.cast(DType.F32).toDoubles()[0]).isEqualTo(1);
            // Half a unit in the last place goes to the even neighbour.
            assertThat(x.cast(DType.BF16).toDoubles()).containsExactly(1, 1 + 0x1p-7, 1, 1 + 0x1p-6);
        }
    }

    @Test
    void readsWeightsOfEveryEncoding() {
        Backend backend = ReferenceBackend.exact();
        ByteBuffer half = bytes(0x3C00, 0xC000, 0x0001, 0x7BFF, 0x8400, 0x3555);
        ByteBuffer brain = bytes(0x3F80, 0xC000, 0x0000, 0x4049, 0x8000, 0x3EAB);

        Weight fromHalf = backend.weight(half, Encoding.F16, Shape.of(2, 3), DType.F32);
        Weight fromBrain = backend.weight(brain, Encoding.BF16, Shape.of(3, 2), DType.F32);

        assertThat(fromHalf.outFeatures()).isEqualTo(2);
        assertThat(fromHalf.inFeatures()).isEqualTo(3);
        assertThat(backend.dense(fromHalf).values()).containsExactly(1f, -2f, 0x1p-24f, 65504f, -0x1p-14f, 0x1.554p-2f);
        assertThat(backend.dense(fromBrain).values()).containsExactly(1f, -2f, 0f, 3.140625f, -0f, 0x1.56p-2f);
        backend.free(fromHalf);
        backend.free(fromBrain);
        assertThat(backend.memory().liveBytes()).isZero();
    }

    @Test
    void refusesAWeightOfTheWrongNumberOfBytes() {
        assertThatThrownBy(() -> ReferenceBackend.exact()
                        .weight(ByteBuffer.allocate(10), Encoding.F32, Shape.of(2, 3), DType.F32))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a weight [2, 3] in F32 needs 24 bytes, found 10");
    }

    @Test
    void passesATasksExceptionOnAndWrapsACheckedOne() {
        Backend backend = ReferenceBackend.exact();
        assertThat(backend.<String>call(() -> "result")).isEqualTo("result");
        assertThatThrownBy(() -> backend.call(() -> {
                    throw new IllegalStateException("as it is");
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("as it is");
        assertThatThrownBy(() -> backend.call(() -> {
                    throw new IOException("disk full");
                }))
                .isInstanceOf(PeftException.class)
                .hasMessage("a task on the reference backend failed: disk full")
                .hasCauseInstanceOf(IOException.class);
    }

    @Test
    void adamWComputesWhatPyTorchComputes() {
        Backend backend = ReferenceBackend.exact();
        try (Constant p = constant(backend, 1, -2);
                Constant m = constant(backend, 0, 0);
                Constant v = constant(backend, 0, 0);
                Session session = Session.open(backend)) {
            List<Moments> moments = List.of(new Moments(p, m, v));
            List<AdamW> settings = List.of(new AdamW(0.1, 0.9, 0.99, 1e-3, 0.1));

            // What torch.optim.AdamW (2.13, float64) makes of the same settings and gradients.
            backend.updates().adamW(moments, List.of(f64(session, 0.5, 4)), settings, 1);
            assertThat(read(session, p))
                    .containsExactly(new double[] {0.8901996007984032, -2.079975006248438}, within(1e-13));
            backend.updates().adamW(moments, List.of(f64(session, -1, 0)), settings, 2);
            assertThat(read(session, p))
                    .containsExactly(new double[] {0.9178122578080771, -2.126309475521298}, within(1e-13));
            backend.updates().adamW(moments, List.of(f64(session, 0.25, 0.25)), settings, 3);
            assertThat(read(session, p))
                    .containsExactly(new double[] {0.922291530795063, -2.160956982079315}, within(1e-13));
            assertThat(p.version()).isEqualTo(3);
        }
        assertThat(backend.memory().liveBytes()).isZero();
    }

    @Test
    void normIsThatOfAllElementsTogether() {
        Backend backend = ReferenceBackend.exact();
        try (Session session = Session.open(backend)) {
            assertThat(backend.updates().norm(List.of(f64(session, 1, -2), f64(session, 2), f64(session, 4))))
                    .isEqualTo(5);
            assertThat(backend.updates().norm(List.of())).isZero();
        }
    }

    @Test
    void aFreedBufferIsNotReadAgain() {
        Backend backend = ReferenceBackend.exact();
        var buffer = backend.kernels().zeros(Shape.of(2), DType.F32);
        buffer.release();
        assertThatThrownBy(() -> backend.kernels().read(buffer))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("a kernel was given a freed buffer of shape [2]");
    }

    private static ByteBuffer bytes(int... words) {
        ByteBuffer bytes = ByteBuffer.allocate(2 * words.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int word : words) {
            bytes.putShort((short) word);
        }
        return bytes.flip();
    }

    private static Constant constant(Backend backend, float... values) {
        return Constant.of(backend, HostTensor.of(Shape.of(values.length), values), DType.F64);
    }

    private static Tensor f64(Session session, double... values) {
        return session.tensor(values, Shape.of(values.length));
    }

    private static double[] read(Session session, Constant constant) {
        return session.tensor(constant).toDoubles();
    }
}
