package io.peftj.djl.contract;

import io.peftj.core.tensor.Backend;
import io.peftj.djl.engine.EngineOptions;
import io.peftj.djl.engine.TorchBackend;
import io.peftj.testkit.reference.ReferenceBackend;

/** The backends of this package's tests, started once and not closed. */
final class TestBackends {
    /** Double precision in plain Java. */
    static final Backend EXACT = ReferenceBackend.exact();

    /** libtorch on the processor, with one thread: sums differ with their number. */
    static final Backend ENGINE = TorchBackend.open(EngineOptions.defaults().withThreads(1));

    private TestBackends() {}
}
