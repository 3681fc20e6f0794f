package io.peftj.testkit.contract;

import com.google.gson.JsonObject;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.TaskData;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An adapter with values, on a model.
 *
 * @param values raw parameters by name, or stored ones
 */
record Subject(
        ContractModel model, String name, AdapterConfig config, AdapterPlan plan, Map<String, HostTensor> values) {
    /** How far from their start values are moved, so that nothing is zero. */
    private static final double SPREAD = 0.3;

    /** A new adapter. */
    static Subject initial(ContractModel model, String name, AdapterConfig config, long seed) {
        AdapterConfig complete = AdapterMethods.complete(model.spec(), config);
        AdapterPlan plan = AdapterMethods.plan(model.spec(), complete);
        return new Subject(model, name, complete, plan, plan.initialise(new ModelContext(model, seed)));
    }

    /** An adapter whose values are all moved away from where they start. */
    static Subject randomised(ContractModel model, String name, AdapterConfig config, long seed) {
        return initial(model, name, config, seed).moved(SPREAD, seed);
    }

    Subject moved(double spread, long seed) {
        Map<String, HostTensor> moved = new LinkedHashMap<>();
        for (ParameterSpec parameter : plan.raw()) {
            CounterRandom random = CounterRandom.of(CounterRandom.key(seed, "moved " + parameter.name()));
            float[] start = value(parameter.name()).values();
            HostTensor noise = random.normal(parameter.shape(), spread);
            for (int i = 0; i < start.length; i++) {
                noise.values()[i] += start[i];
            }
            moved.put(parameter.name(), noise);
        }
        return with(moved);
    }

    Subject with(Map<String, HostTensor> other) {
        return new Subject(model, name, config, plan, other);
    }

    HostTensor value(String parameter) {
        return Rows.of(values, parameter);
    }

    /** The parameters as files hold them. */
    Map<String, HostTensor> stored() {
        return Rows.inSession(model, session -> {
            Map<String, HostTensor> stored = new LinkedHashMap<>();
            plan.fold(tensors(session)).forEach((key, value) -> stored.put(key, value.toHost()));
            return stored;
        });
    }

    /** As an application has it. */
    Adapter adapter() {
        String type = AdapterMethods.of(config).type();
        return new Adapter(type, config, stored(), TaskData.NONE, null, new JsonObject());
    }

    /** What an application saved and loaded. */
    static Subject of(ContractModel model, String name, Adapter adapter) {
        AdapterPlan plan = AdapterMethods.plan(model.spec(), adapter.config());
        return new Subject(model, name, adapter.config(), plan, adapter.parameters());
    }

    ResidentAdapter resident() {
        return ResidentAdapter.load(model, name, plan, stored());
    }

    Map<String, Tensor> tensors(Session session) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        values.forEach((key, value) -> tensors.put(key, session.tensor(value)));
        return tensors;
    }

    /** Whether it stands before the rows: a row can have one such adapter. */
    boolean standsBefore() {
        return plan.virtualTokens() > 0
                || plan.contributions().stream().anyMatch(Contribution.KeyValues.class::isInstance);
    }

    /** The largest probability of dropping; 0 for none. */
    double dropout() {
        return plan.contributions().stream().mapToDouble(Subject::dropout).max().orElse(0);
    }

    private static double dropout(Contribution contribution) {
        if (contribution instanceof Contribution.Delta delta) {
            return delta.dropout();
        }
        return contribution instanceof Contribution.PromptEdit edit ? edit.dropout() : 0;
    }

    /** Rows of this adapter alone. */
    List<TestRow> on(List<TestRow> rows) {
        return rows.stream().map(row -> row.under(this)).toList();
    }

    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }
}
