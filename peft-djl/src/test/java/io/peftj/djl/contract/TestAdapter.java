package io.peftj.djl.contract;

import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.run.FrozenBase;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.HostTensor;
import io.peftj.djl.train.TrainableAdapter;
import java.util.LinkedHashMap;
import java.util.Map;

/** An adapter in whose parameters nothing is zero. */
record TestAdapter(String name, AdapterPlan plan, Map<String, HostTensor> values) {
    /** Random values; others for another name. */
    static TestAdapter random(String name, AdapterConfig config, BackboneSpec spec) {
        return random(name, config, spec, 0.5);
    }

    /** Random values of a standard deviation. */
    static TestAdapter random(String name, AdapterConfig config, BackboneSpec spec, double deviation) {
        AdapterPlan plan = AdapterMethods.plan(spec, AdapterMethods.complete(spec, config));
        Map<String, HostTensor> values = new LinkedHashMap<>();
        for (ParameterSpec parameter : plan.raw()) {
            long key = CounterRandom.key(CounterRandom.key(3, name), parameter.name());
            values.put(parameter.name(), CounterRandom.of(key).normal(parameter.shape(), deviation));
        }
        return new TestAdapter(name, plan, values);
    }

    ResidentAdapter resident(FrozenBase base) {
        return ResidentAdapter.load(base, name, plan, values);
    }

    TrainableAdapter trainable(FrozenBase base) {
        return TrainableAdapter.start(base, name, plan, values);
    }
}
