package io.peftj.djl.diagnose;

import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Tensor;
import java.util.List;
import java.util.Map;

/**
 * A plan with other contributions at the same places.
 *
 * @param plan the plan
 * @param contributions what acts instead of its own
 */
record WatchedPlan(AdapterPlan plan, List<Contribution> contributions) implements AdapterPlan {
    @Override
    public List<ParameterSpec> stored() {
        return plan.stored();
    }

    @Override
    public Map<String, HostTensor> initialise(InitialiseContext context) {
        return plan.initialise(context);
    }

    @Override
    public Map<String, Tensor> derive(Map<String, Tensor> parameters, DeriveContext context) {
        return plan.derive(parameters, context);
    }

    @Override
    public int positionShift() {
        return plan.positionShift();
    }

    @Override
    public boolean readsWholePrompt() {
        return plan.readsWholePrompt();
    }
}
