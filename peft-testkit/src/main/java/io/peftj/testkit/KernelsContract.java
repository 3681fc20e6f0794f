package io.peftj.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.peftj.core.PeftException;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Encoding;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import io.peftj.testkit.FaultyBackend.InjectedFault;
import io.peftj.testkit.operation.Operation;
import io.peftj.testkit.operation.Operations;
import io.peftj.testkit.reference.ReferenceBackend;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * What every {@link Backend} must pass: results and gradients like the reference's, operation by operation, equal in equal runs, and nothing left
 * alive, also after errors.
 *
 * <p>Extend it and say which backend is meant.
 */
public abstract class KernelsContract {
    private static final long SEED = 20250117;

    /** The backend under test: the same for all tests of a class, which closes it. */
    protected abstract Backend backend();

    /** The error allowed in a format, relative to the largest value of a tensor, or to 1 where all are smaller. */
    protected double tolerance(DType dtype) {
        return switch (dtype) {
            case BF16 -> 2e-2;
            case F32 -> 1e-5;
            case F64 -> 1e-12;
        };
    }

    @TestFactory
    Stream<DynamicTest> singlePrecisionEqualsTheReference() {
        return operations().map(o -> dynamicTest(o.toString(), () -> compare(o, DType.F32)));
    }

    @TestFactory
    Stream<DynamicTest> bf16EqualsTheReference() {
        return operations().map(o -> dynamicTest(o.toString(), () -> compare(o, DType.BF16)));
    }

    @TestFactory
    Stream<DynamicTest> doublePrecisionEqualsTheReference() {
        return operations().map(o -> dynamicTest(o.toString(), () -> compare(o, DType.F64)));
    }

    private static Stream<Operation> operations() {
        return Stream.concat(Operations.all().stream(), Operations.large().stream());
    }

    private void compare(Operation operation, DType dtype) {
        long before = backend().memory().liveBytes();
        Map<String, double[]> expected = operation.run(ReferenceBackend.rounding(), dtype, SEED);
        Map<String, double[]> found = operation.run(backend(), dtype, SEED);
        assertClose(expected, found, tolerance(dtype));

        Map<String, double[]> again = operation.run(backend(), dtype, SEED);
        found.forEach((name, values) ->
                assertThat(again.get(name)).as("%s in a second run", name).isEqualTo(values));
        assertThat(backend().memory().liveBytes()).as("bytes alive").isEqualTo(before);
    }

    /** Asserts that values of the same names are close, relative to the largest of each name, or to 1 where all are smaller. */
    protected static void assertClose(Map<String, double[]> expected, Map<String, double[]> found, double tolerance) {
        assertThat(found.keySet()).isEqualTo(expected.keySet());
        expected.forEach(
                (name, values) -> assertClose(name, values, Objects.requireNonNull(found.get(name)), tolerance));
    }

    private static void assertClose(String name, double[] expected, double[] found, double tolerance) {
        assertThat(found).as(name).hasSameSizeAs(expected);
        double scale = 1;
        for (double value : expected) {
            scale = Math.max(scale, Math.abs(value));
        }
        for (int i = 0; i < expected.length; i++) {
            assertThat(Math.abs(found[i] - expected[i]))
                    .as("%s[%d] is %s, the reference says %s (seed %d)", name, i, found[i], expected[i], SEED)
                    .isLessThanOrEqualTo(tolerance * scale);
        }
    }

    @Test
    void sessionsOnSeveralThreadsDoNotDisturbEachOther() {
        List<Operation> operations = Operations.all();
        CompletableFuture<?>[] threads = IntStream.range(0, 4)
                .mapToObj(thread -> CompletableFuture.runAsync(() -> {
                    for (int i = thread; i < operations.size(); i += 4) {
                        Operation operation = operations.get(i);
                        assertClose(
                                operation.run(ReferenceBackend.rounding(), DType.F32, SEED),
                                operation.run(backend(), DType.F32, SEED),
                                tolerance(DType.F32));
                    }
                }))
                .toArray(CompletableFuture[]::new);
        CompletableFuture.allOf(threads).join();
    }

    @Test
    void adamWAndNormEqualTheReferenceOverSeveralSteps() {
        long before = backend().memory().liveBytes();
        assertClose(Optimisation.run(ReferenceBackend.rounding(), SEED), Optimisation.run(backend(), SEED), 1e-6);
        assertThat(backend().memory().liveBytes()).isEqualTo(before);
    }

    @Test
    void uploadsRoundToNearestEvenAndReadsGiveTheSameBack() {
        float[] values = {1, -0f, 1 + 0x1p-8f, 1 + 0x3p-8f, 1 + 0x1.8p-8f, 3e38f, -1e-38f, 65537, 0.1f};
        backend().call(() -> {
            try (Session session = Session.open(backend())) {
                HostTensor host = HostTensor.of(Shape.of(3, 3), values);
                assertThat(session.tensor(host).toHost().values()).isEqualTo(values);
                assertThat(session.tensor(host, DType.BF16).toHost().values())
                        .containsExactly(
                                1, -0f, 1, 1 + 0x1p-6f, 1 + 0x1p-7f, 0x1.c4p127f, -0x1.b4p-127f, 65536, 0x1.9ap-4f);
                double[] doubles = {0.1, 1e-300};
                assertThat(session.tensor(doubles, Shape.of(2)).toDoubles()).isEqualTo(doubles);
            }
            return null;
        });
    }

    @Test
    void readsViewsInTheirOwnOrder() {
        backend().call(() -> {
            try (Session session = Session.open(backend())) {
                Tensor x = session.tensor(HostTensor.of(Shape.of(2, 3), 1, 2, 3, 4, 5, 6));
                assertThat(x.transpose().toHost().values()).containsExactly(1, 4, 2, 5, 3, 6);
                assertThat(x.slice(1, 1, 3).toHost().values()).containsExactly(2, 3, 5, 6);
                assertThat(x.transpose().reshape(2, 3).toHost().values()).containsExactly(1, 4, 2, 5, 3, 6);
                assertThat(x.transpose().slice(0, 2, 3).toDoubles()).containsExactly(3, 6);
            }
            return null;
        });
    }

    @Test
    void readsWeightsFromBytesOfEveryEncoding() {
        long before = backend().memory().liveBytes();
        for (Encoding encoding : Encoding.values()) {
            for (DType dtype : List.of(DType.F32, DType.BF16)) {
                Weight weight = backend().weight(everySeventhNumber(encoding), encoding, Shape.of(6, 4), dtype);
                Backend reference = ReferenceBackend.rounding();
                Weight expected = reference.weight(everySeventhNumber(encoding), encoding, Shape.of(6, 4), dtype);
                assertThat(weight.outFeatures()).isEqualTo(6);
                assertThat(weight.inFeatures()).isEqualTo(4);
                assertThat(weight.dtype()).isEqualTo(dtype);
                assertThat(backend().dense(weight).shape()).isEqualTo(Shape.of(6, 4));
                assertThat(backend().dense(weight).values())
                        .as("%s read as %s", encoding, dtype)
                        .isEqualTo(reference.dense(expected).values());
                backend().free(weight);
            }
        }
        assertThat(backend().memory().liveBytes()).isEqualTo(before);
    }

    /** Numbers whose bits lie far apart, in a direct buffer as a mapped file is; none is NaN or infinite. */
    private static ByteBuffer everySeventhNumber(Encoding encoding) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(24 * encoding.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 24; i++) {
            switch (encoding) {
                case F32 -> bytes.putFloat((i - 12) * 0.7654321f);
                case BF16 -> bytes.putShort((short) (0x3C00 + i * 37 + (i % 2 << 15)));
                case F16 -> bytes.putShort((short) (0x0200 + i * 1234 + (i % 2 << 15)));
            }
        }
        return bytes.flip();
    }

    @Test
    void passesATasksExceptionsOn() {
        assertThat(backend().<String>call(() -> "result")).isEqualTo("result");
        assertThatThrownBy(() -> backend().call(() -> {
                    throw new IllegalStateException("as it is");
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("as it is");
        assertThatThrownBy(() -> backend().call(() -> {
                    throw new IOException("disk full");
                }))
                .isInstanceOf(PeftException.class)
                .hasMessageContaining("disk full")
                .hasCauseInstanceOf(IOException.class);
    }

    @Test
    void leavesNothingAliveAfterATrainingStep() {
        long before = backend().memory().liveBytes();
        TrainingStep.run(backend());
        assertThat(backend().memory().liveBytes()).isEqualTo(before);
    }

    @Test
    void leavesNothingAliveAfterAFaultAtAnyKernelCall() {
        FaultyBackend counting = FaultyBackend.counting(backend());
        TrainingStep.run(counting);
        assertThat(counting.calls()).isGreaterThan(50);
        long before = backend().memory().liveBytes();
        for (long call = 0; call < counting.calls(); call++) {
            FaultyBackend failing = FaultyBackend.failingAt(backend(), call);
            assertThatThrownBy(() -> TrainingStep.run(failing)).isInstanceOf(InjectedFault.class);
            assertThat(backend().memory().liveBytes())
                    .as("bytes alive after a fault at kernel call %d", call)
                    .isEqualTo(before);
        }
    }
}
