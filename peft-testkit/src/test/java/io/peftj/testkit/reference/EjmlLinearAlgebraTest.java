package io.peftj.testkit.reference;

import io.peftj.core.tensor.LinearAlgebra;
import io.peftj.testkit.LinearAlgebraContract;

class EjmlLinearAlgebraTest extends LinearAlgebraContract {
    @Override
    protected LinearAlgebra algebra() {
        return ReferenceBackend.exact().linearAlgebra();
    }
}
