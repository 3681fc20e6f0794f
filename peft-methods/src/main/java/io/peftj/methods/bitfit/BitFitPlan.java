package io.peftj.methods.bitfit;

import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.SavedModules;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The biases of one model in place of the base's: those of all its linear layers and norms, and new ones for the body's linear layers without. Output
 * embeddings and heads get no new ones; RMS norms have none.
 */
final class BitFitPlan implements AdapterPlan {
    private static final String PREFIX = "base_model.model.";

    private final BackboneSpec spec;
    private final SavedModules own;
    private final SavedModules added;

    BitFitPlan(BackboneSpec spec, BitFitConfig config) {
        this.spec = spec;
        Map<ParameterSpec, String> there = new LinkedHashMap<>();
        spec.parameters().forEach((name, shape) -> {
            if (name.endsWith(".bias")) {
                there.put(new ParameterSpec(PREFIX + name, shape), name);
            }
        });
        Map<ParameterSpec, String> missing = new LinkedHashMap<>();
        for (Site site : spec.sites()) {
            if (site.isBodyLinear() && !site.bias()) {
                missing.put(new ParameterSpec(PREFIX + site.biasName(), Shape.of(site.out())), site.biasName());
            }
        }
        this.own = new SavedModules(there).and(SavedModules.of(spec, config, PREFIX));
        this.added = new SavedModules(missing);
    }

    @Override
    public List<ParameterSpec> stored() {
        List<ParameterSpec> all = new ArrayList<>(added.stored());
        all.addAll(own.stored());
        return List.copyOf(all);
    }

    /** The base's own values, and 0 where it has none. */
    @Override
    public Map<String, HostTensor> initialise(InitialiseContext context) {
        Map<String, HostTensor> values = new LinkedHashMap<>();
        added.stored().forEach(bias -> values.put(bias.name(), HostTensor.filled(bias.shape(), 0)));
        values.putAll(own.initialise(spec, context));
        return values;
    }

    @Override
    public Map<String, Tensor> derive(Map<String, Tensor> parameters, DeriveContext context) {
        return parameters;
    }

    @Override
    public List<Contribution> contributions() {
        List<Contribution> all = new ArrayList<>(added.contributions());
        all.addAll(own.contributions());
        return List.copyOf(all);
    }
}
