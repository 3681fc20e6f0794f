package io.peftj.testkit.reference;

import io.peftj.core.tensor.Backend;
import io.peftj.testkit.KernelsContract;

class ReferenceMeetsTheContractTest extends KernelsContract {
    private static final Backend BACKEND = ReferenceBackend.rounding();

    @Override
    protected Backend backend() {
        return BACKEND;
    }
}
