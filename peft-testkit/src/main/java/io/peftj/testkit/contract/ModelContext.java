package io.peftj.testkit.contract;

import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.run.Batch;
import io.peftj.core.run.Row;
import io.peftj.core.run.Run;
import io.peftj.core.run.Stack;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.LinearAlgebra;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/** Where a new adapter on a model takes its values from; every word of a text is one token. */
record ModelContext(ContractModel model, long seed) implements InitialiseContext {
    @Override
    public CounterRandom random(String parameter) {
        return CounterRandom.of(CounterRandom.key(CounterRandom.key(seed, "initialise"), parameter));
    }

    @Override
    public boolean hasBase(String parameter) {
        return model.parameter(parameter).isPresent();
    }

    @Override
    public HostTensor base(String parameter) {
        return model.parameter(parameter)
                .orElseThrow(() -> new IllegalArgumentException("the model has no parameter " + parameter));
    }

    @Override
    public LinearAlgebra linearAlgebra() {
        return model.backend().linearAlgebra();
    }

    @Override
    public HostTensor once(String name, Supplier<HostTensor> make) {
        return model.once(name, make);
    }

    @Override
    public int[] tokenIds(String text) {
        return Arrays.stream(text.split(" "))
                .mapToInt(word -> Math.floorMod(word.hashCode(), model.spec().vocabulary()))
                .toArray();
    }

    @Override
    public List<KeysAndValues> keysAndValues(int... ids) {
        return Rows.inSession(model, session -> {
            List<KeysAndValues> found = new ArrayList<>();
            Batch batch = Batch.of(session, model.spec(), List.of(Row.of(Stack.BASE, 0, ids)));
            model.logits(new Run(
                    session,
                    batch,
                    null,
                    (layer, keys, values) -> found.add(new KeysAndValues(keys.toHost(), values.toHost()))));
            return found;
        });
    }
}
