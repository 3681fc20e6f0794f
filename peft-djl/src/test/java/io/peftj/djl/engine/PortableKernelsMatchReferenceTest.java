package io.peftj.djl.engine;

import io.peftj.core.tensor.Backend;
import io.peftj.testkit.KernelsContract;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The kernels of a libtorch that lacks the fast ones, with several workers. */
class PortableKernelsMatchReferenceTest extends KernelsContract {
    private static TorchBackend backend;

    @BeforeAll
    static void open() {
        EngineOptions options = EngineOptions.defaults().withThreads(1).withWorkers(2);
        KernelChoice portable = new KernelChoice(Processor.OTHER, false, false, false, false);
        backend = TorchBackend.open(options, portable);
    }

    @AfterAll
    static void close() {
        backend.close();
    }

    @Override
    protected Backend backend() {
        return backend;
    }
}
