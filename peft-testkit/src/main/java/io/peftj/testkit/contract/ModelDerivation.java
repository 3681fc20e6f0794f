package io.peftj.testkit.contract;

import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import java.util.HashMap;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What effective parameters are derived from on a model, in one session. */
final class ModelDerivation implements DeriveContext {
    private final ContractModel model;
    private final @Nullable Map<String, double[]> still;

    private ModelDerivation(ContractModel model, @Nullable Map<String, double[]> still) {
        this.model = model;
        this.still = still;
    }

    static ModelDerivation on(ContractModel model) {
        return new ModelDerivation(model, null);
    }

    /** Holds what gradients take for constants at the values that it has the first time, for any number of sessions. */
    static ModelDerivation holdingStill(ContractModel model) {
        return new ModelDerivation(model, new HashMap<>());
    }

    @Override
    public Weight weight(String parameter) {
        return model.weight(parameter);
    }

    @Override
    public HostTensor base(String parameter) {
        return model.parameter(parameter).orElseThrow(() -> new NoSuchElementException(parameter));
    }

    @Override
    public Tensor once(String name, Supplier<Tensor> make) {
        return make.get();
    }

    @Override
    public Tensor constant(String name, Tensor value) {
        if (still == null) {
            return value.detach();
        }
        double[] first = still.computeIfAbsent(name, key -> value.toDoubles());
        return value.session().tensor(first, value.shape()).cast(value.dtype());
    }
}
