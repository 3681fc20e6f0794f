package io.peftj.djl.contract;

import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.SavedModules;
import io.peftj.core.adapter.TargetSites;
import io.peftj.core.site.Site;
import io.peftj.core.site.TargetMatcher;
import io.peftj.core.site.Targets;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Every output y of a target becomes y·eᵍ, with a trained g of its own: a gain that stays positive. */
final class GainPlan implements AdapterPlan {
    private static final String PREFIX = "base_model.model.";

    private final BackboneSpec spec;
    private final List<Site> sites;
    private final SavedModules saved;

    GainPlan(BackboneSpec spec, GainConfig config) {
        this.spec = spec;
        this.sites = TargetSites.of(spec, config, TargetMatcher.of(Targets.names(config.targets())));
        this.saved = SavedModules.of(spec, config, PREFIX);
    }

    @Override
    public List<ParameterSpec> stored() {
        List<ParameterSpec> all = new ArrayList<>();
        sites.forEach(site -> all.add(new ParameterSpec(name(site), Shape.of(site.out()))));
        all.addAll(saved.stored());
        return all;
    }

    @Override
    public Map<String, HostTensor> initialise(InitialiseContext context) {
        Map<String, HostTensor> values = new LinkedHashMap<>();
        sites.forEach(site -> values.put(name(site), HostTensor.filled(Shape.of(site.out()), 0)));
        values.putAll(saved.initialise(spec, context));
        return values;
    }

    @Override
    public Map<String, Tensor> derive(Map<String, Tensor> parameters) {
        Map<String, Tensor> effective = new LinkedHashMap<>(parameters);
        sites.forEach(site -> effective.computeIfPresent(name(site), (name, g) -> g.exp()));
        return effective;
    }

    @Override
    public List<Contribution> contributions() {
        List<Contribution> all = new ArrayList<>();
        sites.forEach(site -> all.add(new Contribution.OutputScale(site, name(site))));
        all.addAll(saved.contributions());
        return all;
    }

    private static String name(Site site) {
        return PREFIX + site.name() + ".gain";
    }
}
