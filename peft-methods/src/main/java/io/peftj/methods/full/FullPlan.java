package io.peftj.methods.full;

import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.Contribution.Substitute;
import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.SavedModules;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Every parameter of one model in place of the base's; a tied embedding is one parameter at both ends. */
final class FullPlan implements AdapterPlan {
    private static final String PREFIX = "base_model.model.";

    private final BackboneSpec spec;
    private final SavedModules all;

    FullPlan(BackboneSpec spec) {
        this.spec = spec;
        this.all = SavedModules.everything(spec, PREFIX);
    }

    @Override
    public List<ParameterSpec> stored() {
        return all.stored();
    }

    @Override
    public Map<String, HostTensor> initialise(InitialiseContext context) {
        return all.initialise(spec, context);
    }

    @Override
    public Map<String, Tensor> derive(Map<String, Tensor> parameters, DeriveContext context) {
        return parameters;
    }

    @Override
    public List<Contribution> contributions() {
        List<Contribution> contributions = new ArrayList<>(all.contributions());
        if (spec.tied()) {
            String embedding = PREFIX + spec.sites(Role.EMBEDDING).get(0).weightName();
            for (Site output : spec.sites(Role.OUTPUT_EMBEDDING)) {
                contributions.add(new Substitute(output.weightName(), embedding));
            }
        }
        return List.copyOf(contributions);
    }
}
