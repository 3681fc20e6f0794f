package io.peftj.djl.train;

import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.run.ActiveAdapter;
import io.peftj.core.run.BoundPlan;
import io.peftj.core.run.Derivation;
import io.peftj.core.run.FrozenBase;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Updates.Moments;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An adapter while it is trained: raw parameters in single precision with their optimiser state, in a backend's memory. */
public final class TrainableAdapter implements AutoCloseable {
    private final Backend backend;
    private final String name;
    private final BoundPlan plan;
    private final Map<String, Moments> parameters;
    private final FrozenBase base;

    private TrainableAdapter(FrozenBase base, String name, BoundPlan plan, Map<String, Moments> parameters) {
        this.base = base;
        this.backend = base.backend();
        this.name = name;
        this.plan = plan;
        this.parameters = parameters;
    }

    /**
     * Starts from values, with an optimiser state of zeros.
     *
     * @param base the model it acts on
     * @param name tells adapters apart; dropout draws by it
     * @param values raw parameters, or stored ones to go on from a file
     */
    public static TrainableAdapter start(
            FrozenBase base, String name, AdapterPlan plan, Map<String, HostTensor> values) {
        Map<String, State> states = new LinkedHashMap<>();
        values.forEach((key, value) -> {
            HostTensor zeros = HostTensor.filled(value.shape(), 0);
            states.put(key, new State(value, zeros, zeros));
        });
        return resume(base, name, plan, states);
    }

    /**
     * Goes on from parameters and their optimiser state.
     *
     * @param base the model it acts on
     * @param name tells adapters apart; dropout draws by it
     * @param states by parameter, as {@link #states} gave them
     */
    public static TrainableAdapter resume(FrozenBase base, String name, AdapterPlan plan, Map<String, State> states) {
        Backend backend = base.backend();
        return backend.call(() -> {
            List<Constant> made = new ArrayList<>();
            try {
                Map<String, Moments> parameters = new LinkedHashMap<>();
                states.forEach((key, state) -> {
                    for (HostTensor each : List.of(state.parameter(), state.first(), state.second())) {
                        made.add(Constant.of(backend, each, DType.F32));
                    }
                    int n = made.size();
                    parameters.put(key, new Moments(made.get(n - 3), made.get(n - 2), made.get(n - 1)));
                });
                return new TrainableAdapter(base, name, new BoundPlan(plan), parameters);
            } catch (RuntimeException e) {
                made.forEach(Constant::close);
                throw e;
            }
        });
    }

    /** A raw parameter with AdamW's two moments of it, in Java's memory. */
    public record State(HostTensor parameter, HostTensor first, HostTensor second) {}

    /** Tells adapters apart. */
    public String name() {
        return name;
    }

    /** Where it acts. */
    public BoundPlan plan() {
        return plan;
    }

    /** Raw parameters with their optimiser state, by name. */
    public Map<String, Moments> parameters() {
        return parameters;
    }

    /** The adapter as it is now, for predictions in a session; nothing is noted for gradients. */
    public ActiveAdapter in(Session session) {
        return new ActiveAdapter(name, plan, effective(raw(session)));
    }

    /** The parameters as an adapter's file holds them; on an interrupted thread too, so that a cancelled training keeps what it has. */
    public Map<String, HostTensor> stored() {
        return backend.callUninterrupted(() -> {
            try (Session session = Session.open(backend)) {
                Map<String, HostTensor> stored = new LinkedHashMap<>();
                plan.plan().fold(raw(session)).forEach((key, value) -> stored.put(key, value.toHost()));
                return stored;
            }
        });
    }

    /** Raw parameters with their optimiser state, as they are now; on an interrupted thread too. */
    public Map<String, State> states() {
        return backend.callUninterrupted(() -> {
            try (Session session = Session.open(backend)) {
                Map<String, State> states = new LinkedHashMap<>();
                parameters.forEach((key, moments) -> states.put(
                        key,
                        new State(
                                session.tensor(moments.parameter()).toHost(),
                                session.tensor(moments.first()).toHost(),
                                session.tensor(moments.second()).toHost())));
                return states;
            }
        });
    }

    /** Effective parameters made of raw ones; noted if a tape records. */
    Map<String, Tensor> effective(Map<String, Tensor> raw) {
        return plan.plan().derive(raw, new Derivation(base));
    }

    private Map<String, Tensor> raw(Session session) {
        Map<String, Tensor> raw = new LinkedHashMap<>();
        parameters.forEach((key, moments) -> raw.put(key, session.tensor(moments.parameter())));
        return raw;
    }

    @Override
    public void close() {
        backend.callUninterrupted(() -> {
            parameters.values().forEach(moments -> {
                moments.parameter().close();
                moments.first().close();
                moments.second().close();
            });
            return Boolean.TRUE;
        });
    }
}
