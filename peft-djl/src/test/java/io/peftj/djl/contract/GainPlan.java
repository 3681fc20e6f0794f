package io.peftj.djl.contract;

import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.SavedModules;
import io.peftj.core.site.OutputRange;
import io.peftj.core.site.Role;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Every output y with one of the roles becomes y·eᵍ, with a trained g of its own: a gain that stays positive. */
final class GainPlan implements AdapterPlan {
    private static final String PREFIX = "base_model.model.";

    private final BackboneSpec spec;
    private final Map<String, OutputRange> outputs = new LinkedHashMap<>();
    private final SavedModules saved;

    GainPlan(BackboneSpec spec, GainConfig config) {
        this.spec = spec;
        for (Role role : config.roles()) {
            String gain = "." + role.name().toLowerCase(Locale.ROOT) + ".gain";
            spec.outputs(role)
                    .forEach(range -> outputs.put(PREFIX + range.site().name() + gain, range));
        }
        this.saved = SavedModules.of(spec, config, PREFIX);
    }

    @Override
    public List<ParameterSpec> stored() {
        List<ParameterSpec> all = new ArrayList<>();
        outputs.forEach((name, range) -> all.add(new ParameterSpec(name, Shape.of(range.size()))));
        all.addAll(saved.stored());
        return all;
    }

    @Override
    public Map<String, HostTensor> initialise(InitialiseContext context) {
        Map<String, HostTensor> values = new LinkedHashMap<>();
        outputs.forEach((name, range) -> values.put(name, HostTensor.filled(Shape.of(range.size()), 0)));
        values.putAll(saved.initialise(spec, context));
        return values;
    }

    @Override
    public Map<String, Tensor> derive(Map<String, Tensor> parameters, DeriveContext context) {
        Map<String, Tensor> effective = new LinkedHashMap<>(parameters);
        outputs.keySet().forEach(name -> effective.computeIfPresent(name, (key, g) -> g.exp()));
        return effective;
    }

    @Override
    public List<Contribution> contributions() {
        List<Contribution> all = new ArrayList<>();
        outputs.forEach((name, range) -> all.add(new Contribution.OutputScale(range, name)));
        all.addAll(saved.contributions());
        return all;
    }
}
