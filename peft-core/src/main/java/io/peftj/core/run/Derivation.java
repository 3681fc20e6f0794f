package io.peftj.core.run;

import io.peftj.core.PeftException;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/** Makes an adapter's effective parameters, as often as raw ones change, and keeps what is made of the base alone. Used on threads of the backend. */
public final class Derivation implements AutoCloseable {
    private final FrozenBase base;
    private final AdapterPlan plan;
    private final Map<String, Constant> kept = new HashMap<>();

    /** Derives for a plan on a model. */
    public Derivation(FrozenBase base, AdapterPlan plan) {
        this.base = base;
        this.plan = plan;
    }

    /**
     * The effective parameters by name; operations are noted if a tape records.
     *
     * @param parameters raw or stored ones
     */
    public Map<String, Tensor> effective(Session session, Map<String, Tensor> parameters) {
        return plan.derive(parameters, in(session));
    }

    /** What {@link AdapterPlan#derive} may ask for in a session. */
    public DeriveContext in(Session session) {
        return new Surroundings(session);
    }

    @Override
    public void close() {
        kept.values().forEach(Constant::close);
        kept.clear();
    }

    private final class Surroundings implements DeriveContext {
        private final Session session;

        Surroundings(Session session) {
            this.session = session;
        }

        @Override
        public Weight weight(String parameter) {
            return base.weight(parameter);
        }

        @Override
        public HostTensor base(String parameter) {
            return base.parameter(parameter)
                    .orElseThrow(() -> new PeftException("the base model has no parameter " + parameter));
        }

        @Override
        public Tensor once(String name, Supplier<Tensor> make) {
            Constant known = kept.get(name);
            if (known == null) {
                known = Constant.keeping(make.get());
                kept.put(name, known);
            }
            return session.tensor(known);
        }

        @Override
        public Tensor constant(String name, Tensor value) {
            return value.detach();
        }
    }
}
