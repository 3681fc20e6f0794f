package io.peftj.djl.engine;

import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.DType;
import io.peftj.testkit.KernelsContract;
import io.peftj.testkit.operation.Operation;
import io.peftj.testkit.operation.Operations;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The engine with the kernels that this machine chooses, against the reference, operation by operation. */
class EngineMatchesReferenceTest extends KernelsContract {
    // Libtorch's threads wait for each other in a loop, so a busy machine is many times slower with several.
    private static final EngineOptions ONE_THREAD = EngineOptions.defaults().withThreads(1);

    private static TorchBackend backend;

    @BeforeAll
    static void open() {
        backend = TorchBackend.open(ONE_THREAD);
    }

    @AfterAll
    static void close() {
        backend.close();
    }

    @Override
    protected Backend backend() {
        return backend;
    }

    @Test
    void severalThreadsComputeTheSame() {
        try (TorchBackend threaded = TorchBackend.open(ONE_THREAD.withThreads(2))) {
            for (Operation operation : Operations.large()) {
                assertClose(
                        operation.run(backend, DType.F32, 1),
                        operation.run(threaded, DType.F32, 1),
                        tolerance(DType.F32));
            }
        }
    }
}
