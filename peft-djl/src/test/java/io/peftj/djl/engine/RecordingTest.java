package io.peftj.djl.engine;

import static io.peftj.djl.engine.Engines.SHARED;
import static io.peftj.djl.engine.Engines.compute;
import static io.peftj.djl.engine.Engines.randomTensor;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.PeftException;
import io.peftj.core.tensor.Activation;
import io.peftj.core.tensor.Buffer;
import io.peftj.core.tensor.CacheLayout;
import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Deferral;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Index;
import io.peftj.core.tensor.Kernels;
import io.peftj.core.tensor.KeyValueCache;
import io.peftj.core.tensor.Layout;
import io.peftj.core.tensor.Scope;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tape;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Operations that are put off give what they give at once, in the same order, whether they were compiled or not. */
class RecordingTest {
    private static final int OFTEN = 40; // more than it takes to be compiled

    /** Views, a tuple's parts, lists, numbers and an optional tensor that is not there, on a tape. */
    private static List<double[]> work(Session session, DType dtype, int key) {
        List<double[]> results = new ArrayList<>();
        Tensor x = randomTensor(session, dtype, key, 6, 8);
        Tensor a = randomTensor(session, dtype, 2, 4, 8);
        try (Tape tape = session.startTape()) {
            Tensor leaf = tape.leaf(a);
            Tensor y = x.linear(leaf);
            Tensor gated = y.slice(1, 0, 2).gatedActivation(y.slice(1, 2, 4), Activation.SILU);
            Tensor both = session.tensor(HostTensor.filled(Shape.of(6, 2), 0.5f), dtype)
                    .plus(gated)
                    .rmsNorm(null, 1e-6)
                    .reshape(3, 4)
                    .softmax();
            tape.backward(both.times(both).sumTo(Shape.SCALAR));
            results.add(both.toDoubles());
            results.add(tape.gradient(leaf).toDoubles());
        }
        return results;
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    void resultsAreTheSameBits(DType dtype) {
        compute(session -> {
            for (int round = 0; round < OFTEN; round++) {
                int key = round;
                List<double[]> atOnce = work(session, dtype, key);
                List<double[]> later = session.deferred(() -> work(session, dtype, key));
                assertThat(later.get(0)).as("round " + round).containsExactly(atOnce.get(0));
                assertThat(later.get(1)).as("round " + round).containsExactly(atOnce.get(1));
            }
        });
    }

    @Test
    void aKernelThatWritesIsInOrderWithThoseThatRead() {
        for (int round = 0; round < OFTEN; round++) {
            double value = round;
            compute(session -> session.deferred(() -> {
                try (KeyValueCache cache = KeyValueCache.open(SHARED, 1, Shape.of(1, 1, 2, 2), DType.F64)) {
                    Layout one = Layout.of(session, 1);
                    for (int place = 0; place < 2; place++) {
                        Tensor k = session.tensor(new double[] {1, 1}, Shape.of(1, 1, 2));
                        Tensor v = session.tensor(new double[] {value, place}, Shape.of(1, 1, 2));
                        CacheLayout rows = CacheLayout.of(session, one, new int[] {0}, new int[] {place});
                        cache.store(0, k, v.plus(v), rows);
                        double[] seen =
                                k.attention(cache, 0, rows, 1, List.of()).toDoubles();
                        assertThat(seen).containsExactly(new double[] {2 * value, place}, within(1e-12));
                    }
                }
                return true;
            }));
        }
    }

    @Test
    void whatIsKeptOutlivesItsScopeAndItsSession() {
        long before = SHARED.memory().liveBytes();
        Constant kept = SHARED.call(() -> {
            try (Session session = Session.open(SHARED)) {
                return session.deferred(() -> {
                    try (Scope scope = session.scope()) {
                        Tensor x = randomTensor(session, DType.F32, 1, 2, 3);
                        return Constant.sharing(scope.keep(x.times(x).reshape(3, 2)));
                    }
                });
            }
        });
        try (kept) {
            compute(session -> {
                double[] x = Engines.toDoubles(Engines.random(1, 2, 3));
                double[] found = session.tensor(kept).toDoubles();
                for (int i = 0; i < x.length; i++) {
                    assertThat(found[i]).isEqualTo((double) ((float) x[i] * (float) x[i]));
                }
            });
        }
        assertThat(SHARED.memory().liveBytes()).isEqualTo(before);
    }

    @Test
    void aFailureNamesItsKernelAndLeavesNothingBehind() {
        for (int round = 0; round < OFTEN; round++) {
            boolean fails = round % 4 == 3 || round == OFTEN - 1; // before it is compiled and after
            compute(session -> {
                Buffer x = SHARED.kernels().upload(new float[12], Shape.of(4, 3), DType.F32);
                Index row = session.index(fails ? 9 : 1);
                if (fails) {
                    assertThatThrownBy(() -> row(session, x, row))
                            .isInstanceOf(PeftException.class)
                            .hasMessageContaining("the kernel gather failed on F32[4, 3]");
                } else {
                    assertThat(row(session, x, row)).containsExactly(2, 2, 2);
                }
                x.release();
            });
        }
    }

    /** A row of 2 e^x; the kernels' own check of its number is all there is. */
    private static float[] row(Session session, Buffer x, Index row) {
        Kernels kernels = SHARED.kernels();
        return session.deferred(() -> {
            Buffer exp = kernels.unary(Kernels.Unary.EXP, x);
            Buffer twice = kernels.binary(Kernels.Binary.ADD, exp, exp);
            Buffer chosen = kernels.gather(twice, row);
            try {
                return kernels.readFloats(chosen);
            } finally {
                exp.release();
                twice.release();
                chosen.release();
            }
        });
    }

    @Test
    void aFreedBufferIsRefusedWhenItsUseIsPutOff() {
        compute(session -> session.deferred(() -> {
            Kernels kernels = SHARED.kernels();
            Buffer zeros = kernels.zeros(Shape.of(3), DType.F32);
            zeros.release();
            assertThatThrownBy(() -> kernels.unary(Kernels.Unary.EXP, zeros))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("exp: the buffer F32[3] was freed");
            return true;
        }));
    }

    @Test
    void cancellingDropsWhatWasPutOff() {
        AtomicBoolean cancelled = new AtomicBoolean();
        long before = SHARED.memory().liveBytes();
        assertThatThrownBy(() -> SHARED.call(() -> {
                    try (Session session = Session.open(SHARED, cancelled::get)) {
                        return session.deferred(() -> {
                            Tensor x = randomTensor(session, DType.F32, 1, 3).exp();
                            cancelled.set(true);
                            session.checkCancelled();
                            return x;
                        });
                    }
                }))
                .isInstanceOf(CancellationException.class);
        assertThat(SHARED.memory().liveBytes()).isEqualTo(before);
    }

    @Test
    void deferralsDoNotNestAndEndWithTheirThreadsWork() {
        compute(session -> {
            try (Deferral outer = SHARED.defer();
                    Deferral inner = SHARED.defer()) {
                assertThat(inner).isSameAs(Deferral.NONE);
                assertThat(outer).isNotSameAs(Deferral.NONE);
            }
            try (Deferral next = SHARED.defer()) {
                assertThat(next).isNotSameAs(Deferral.NONE);
            }
        });
    }
}
