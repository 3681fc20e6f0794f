package io.peftj.djl.train;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.LinearAlgebra;
import io.peftj.djl.backbone.Backbone;
import java.util.List;
import java.util.function.Supplier;

/**
 * What initial values are made of, taken from a backbone.
 *
 * @param base the model
 * @param spec the model as the method plans on it, whose head may be another than the base's own
 * @param seed the run's seed
 */
public record BackboneContext(Backbone base, BackboneSpec spec, long seed) implements InitialiseContext {
    @Override
    public CounterRandom random(String parameter) {
        return CounterRandom.of(CounterRandom.key(CounterRandom.key(seed, "initialise"), parameter));
    }

    @Override
    public boolean hasBase(String parameter) {
        // A head of as many classes as the base's own starts from it; any other one starts anew.
        return base.parameter(parameter)
                .filter(value -> value.shape().equals(spec.parameters().getOrDefault(parameter, value.shape())))
                .isPresent();
    }

    @Override
    public HostTensor base(String parameter) {
        return base.parameter(parameter)
                .orElseThrow(() -> new InvalidConfigException("the base model has no parameter " + parameter
                        + "; it has " + base.spec().parameters().keySet()));
    }

    @Override
    public LinearAlgebra linearAlgebra() {
        return base.backend().linearAlgebra();
    }

    @Override
    public HostTensor once(String name, Supplier<HostTensor> make) {
        return base.once(name, make);
    }

    @Override
    public int[] tokenIds(String text) {
        if (!base.hasTokenizer()) {
            throw new InvalidConfigException("starting from the text \"" + text
                    + "\" needs a tokenizer, but the model has no tokenizer.json; put it into the model's directory");
        }
        return base.tokenizer().encodePlain(text);
    }

    @Override
    public List<KeysAndValues> keysAndValues(int... ids) {
        return base.keysAndValues(ids);
    }
}
