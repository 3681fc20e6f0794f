package io.peftj.core.run;

import io.peftj.core.PeftException;
import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.LinearAlgebra;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import java.util.function.Supplier;

/** Effective parameters are derived on a frozen model. */
public record Derivation(FrozenBase frozen) implements DeriveContext {
    @Override
    public Weight weight(String parameter) {
        return frozen.weight(parameter);
    }

    @Override
    public boolean hasBase(String parameter) {
        return frozen.parameter(parameter).isPresent();
    }

    @Override
    public HostTensor base(String parameter) {
        return frozen.parameter(parameter)
                .orElseThrow(() -> new PeftException("the base model has no parameter " + parameter));
    }

    @Override
    public LinearAlgebra linearAlgebra() {
        return frozen.backend().linearAlgebra();
    }

    @Override
    public HostTensor once(String name, Supplier<HostTensor> make) {
        return frozen.once(name, make);
    }

    @Override
    public Tensor constant(String name, Tensor value) {
        return value.detach();
    }
}
