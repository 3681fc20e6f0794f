package io.peftj.methods;

import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.LinearAlgebra;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import io.peftj.testkit.reference.ReferenceBackend;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Surroundings without a model: random streams, some base parameters, one token a character. */
public record TestContext(Map<String, HostTensor> baseParameters) implements InitialiseContext, DeriveContext {
    /** A context without base parameters. */
    public static final TestContext EMPTY = new TestContext(Map.of());

    @Override
    public CounterRandom random(String parameter) {
        return CounterRandom.of(CounterRandom.key(7, parameter));
    }

    @Override
    public boolean hasBase(String parameter) {
        return baseParameters.containsKey(parameter);
    }

    @Override
    public HostTensor base(String parameter) {
        return baseParameters.get(parameter);
    }

    @Override
    public int[] tokenIds(String text) {
        return text.chars().toArray();
    }

    @Override
    public List<KeysAndValues> keysAndValues(int... ids) {
        throw new UnsupportedOperationException("there is no model");
    }

    @Override
    public Weight weight(String parameter) {
        throw new UnsupportedOperationException("there is no model");
    }

    @Override
    public LinearAlgebra linearAlgebra() {
        return ReferenceBackend.exact().linearAlgebra();
    }

    @Override
    public HostTensor once(String name, Supplier<HostTensor> make) {
        return make.get();
    }

    @Override
    public Tensor constant(String name, Tensor value) {
        return value.detach();
    }
}
