package io.peftj.core.run;

import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Tensor;
import java.util.HashMap;
import java.util.Map;

/** An adapter's effective parameters in a backend's memory, for inference in any number of sessions. */
public final class ResidentAdapter implements AutoCloseable {
    private final String name;
    private final BoundPlan plan;
    private final Map<String, Constant> effective;

    private ResidentAdapter(String name, BoundPlan plan, Map<String, Constant> effective) {
        this.name = name;
        this.plan = plan;
        this.effective = effective;
    }

    /**
     * Derives an adapter's effective parameters and keeps them. Runs on a thread of the backend.
     *
     * @param base the model it acts on
     * @param name tells adapters apart in error messages
     * @param stored the stored parameters by name
     */
    public static ResidentAdapter load(FrozenBase base, String name, AdapterPlan plan, Map<String, HostTensor> stored) {
        Backend backend = base.backend();
        return backend.call(() -> {
            Map<String, Constant> constants = new HashMap<>();
            try (Session session = Session.open(backend)) {
                Map<String, Tensor> parameters = new HashMap<>();
                stored.forEach((key, value) -> parameters.put(key, session.tensor(value, DType.F32)));
                plan.derive(parameters, new Derivation(base))
                        .forEach((key, value) -> constants.put(key, Constant.keeping(value)));
            } catch (RuntimeException e) {
                constants.values().forEach(Constant::close);
                throw e;
            }
            return new ResidentAdapter(name, new BoundPlan(plan), constants);
        });
    }

    /** The adapter's name. */
    public String name() {
        return name;
    }

    /** Where it acts. */
    public BoundPlan plan() {
        return plan;
    }

    /** The adapter in a session: make it once a session, since a row's stack tells adapters apart by identity. */
    public ActiveAdapter in(Session session) {
        Map<String, Tensor> tensors = new HashMap<>();
        effective.forEach((key, constant) -> tensors.put(key, session.tensor(constant)));
        return new ActiveAdapter(name, plan, tensors);
    }

    @Override
    public void close() {
        effective.values().forEach(Constant::close);
    }
}
