package io.peftj.djl.engine;

import static io.peftj.djl.engine.Engines.random;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.peftj.core.PeftException;
import io.peftj.core.tensor.Buffer;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Kernels;
import io.peftj.core.tensor.Scope;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class NativeMemoryTest {
    private static final int ITERATIONS = 20_000;

    @Test
    void twentyThousandCallsLeaveNothingBehind() throws IOException {
        assumeTrue(Files.exists(Path.of("/proc/self/smaps")), "the kernel shows where a process's memory goes");
        try (TorchBackend backend = TorchBackend.open(EngineOptions.defaults().withThreads(1))) {
            iterate(backend, ITERATIONS); // Java's own heap and libtorch's caches reach their size
            long before = nativeKiB();
            iterate(backend, ITERATIONS);
            long grown = nativeKiB() - before;
            assertThat(backend.memory().liveBytes()).isZero();
            // Twenty bytes an iteration lost would be 400 KiB; the allocator's own ups and downs are about a megabyte.
            assertThat(grown)
                    .as("KiB of native memory after %d more iterations", ITERATIONS)
                    .isLessThan(3 * 1024);
        }
    }

    /** Before the calls are joined, and after. */
    @Test
    void whatIsPutOffIsFreedBehindItsLastUse() throws IOException {
        assumeTrue(Files.isWritable(Path.of("/proc/self/clear_refs")), "the kernel counts a process's peak anew");
        try (TorchBackend backend = TorchBackend.open(EngineOptions.defaults().withThreads(1))) {
            long most = 0;
            for (int round = 0; round < 40; round++) {
                Files.writeString(Path.of("/proc/self/clear_refs"), "5");
                long before = statusKiB("VmRSS:");
                chain(backend);
                most = Math.max(most, statusKiB("VmHWM:") - before);
            }
            assertThat(most)
                    .as("KiB more at most than before a chain of 32 results of 8 MiB")
                    .isLessThan(128 * 1024);
        }
    }

    private static void chain(TorchBackend backend) {
        backend.call(() -> {
            try (Session session = Session.open(backend)) {
                return session.deferred(() -> {
                    try (Scope scope = session.scope()) {
                        Tensor x = session.zeros(Shape.of(1 << 21), DType.F32);
                        for (int i = 0; i < 32; i++) {
                            x = x.affine(0.5, 1);
                        }
                        return scope.keep(x).shape();
                    }
                });
            }
        });
    }

    private static long statusKiB(String key) throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith(key))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst()
                .orElseThrow();
    }

    /** Values in and out, a call with one result, with several, with views, with lists, and one that fails. */
    private static void iterate(TorchBackend backend, int times) {
        HostTensor values = random(1, 6, 32);
        backend.call(() -> {
            Kernels kernels = backend.kernels();
            for (int i = 0; i < times; i++) {
                Buffer x = kernels.upload(values.values(), values.shape(), DType.F32);
                Buffer part = kernels.slice(x, 1, 0, 16);
                Buffer heads = kernels.reshape(part, Shape.of(6, 2, 8));
                Buffer[] norm = kernels.rmsNorm(heads, null, 1e-6);
                Buffer joined = kernels.concat(java.util.List.of(part, part), 1);
                kernels.readFloats(joined);
                if (i % 10 == 0) {
                    assertThatThrownBy(() -> kernels.matmul(x, x)).isInstanceOf(PeftException.class);
                }
                for (Buffer buffer : new Buffer[] {joined, norm[0], norm[1], heads, part, x}) {
                    buffer.release();
                }
            }
            return true;
        });
    }

    /** Resident memory outside Java's heap and code: what malloc and libtorch hold. */
    private static long nativeKiB() throws IOException {
        long heaps = 0;
        boolean counted = false;
        for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
            if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
                // Arenas of malloc are private mappings without a file of at most 64 MiB; Java's heap is larger.
                String[] range = line.split("[- ]", 3);
                long size = Long.parseUnsignedLong(range[1], 16) - Long.parseUnsignedLong(range[0], 16);
                counted = line.endsWith("[heap]") || (line.matches(".* 00:00 0 *") && size <= 64 << 20);
            } else if (counted && line.startsWith("Rss:")) {
                heaps += Long.parseLong(line.replaceAll("\\D+", ""));
            }
        }
        return heaps;
    }

    @Test
    void errorsInTheMiddleOfAComputationLeaveNothingBehind() {
        Engines.compute(session -> {
            try (var scope = session.scope()) {
                var x = session.zeros(Shape.of(2, 3), DType.F32).affine(1, 1);
                assertThatThrownBy(() -> session.backend().kernels().matmul(x.buffer(), x.buffer()))
                        .isInstanceOf(PeftException.class);
            }
        });
    }

    @Test
    void everyBytePutInIsCountedOnce() {
        try (TorchBackend backend = TorchBackend.open(EngineOptions.defaults().withThreads(1))) {
            assertThat(backend.memory().liveBytes()).isZero();
            Weight weight = backend.weight(random(1, 10, 4), DType.BF16);
            assertThat(backend.memory().liveBytes()).isEqualTo(80);
            backend.call(() -> {
                try (Session session = Session.open(backend)) {
                    var x = session.zeros(Shape.of(3, 4), DType.BF16);
                    assertThat(backend.memory().liveBytes()).isEqualTo(80 + 24);
                    x.linear(weight, null).slice(1, 0, 5).reshape(3, 5);
                    assertThat(backend.memory().liveBytes()).isEqualTo(80 + 24 + 60);
                    session.index(1, 2).buffer();
                    assertThat(backend.memory().liveBytes()).isEqualTo(80 + 24 + 60 + 16);
                }
                return true;
            });
            assertThat(backend.memory().liveBytes()).isEqualTo(80);
            backend.free(weight);
            assertThat(backend.memory().liveBytes()).isZero();
        }
    }
}
