package io.peftj.djl.train;

import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.run.BoundPlan;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Updates.Moments;
import java.util.LinkedHashMap;
import java.util.Map;

/** An adapter while it is trained: raw parameters in single precision with their optimiser state, in a backend's memory. */
public final class TrainableAdapter implements AutoCloseable {
    private final Backend backend;
    private final String name;
    private final BoundPlan plan;
    private final Map<String, Moments> parameters;

    private TrainableAdapter(Backend backend, String name, BoundPlan plan, Map<String, Moments> parameters) {
        this.backend = backend;
        this.name = name;
        this.plan = plan;
        this.parameters = parameters;
    }

    /**
     * Starts from values, with an optimiser state of zeros.
     *
     * @param name tells adapters apart; dropout draws by it
     * @param values raw parameters, or stored ones to go on from a file
     */
    public static TrainableAdapter start(
            Backend backend, String name, AdapterPlan plan, Map<String, HostTensor> values) {
        return backend.call(() -> {
            Map<String, Moments> parameters = new LinkedHashMap<>();
            values.forEach((key, value) -> {
                HostTensor zeros = HostTensor.filled(value.shape(), 0);
                parameters.put(
                        key,
                        new Moments(
                                Constant.of(backend, value, DType.F32),
                                Constant.of(backend, zeros, DType.F32),
                                Constant.of(backend, zeros, DType.F32)));
            });
            return new TrainableAdapter(backend, name, new BoundPlan(plan), parameters);
        });
    }

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

    /** The parameters as an adapter's file holds them. */
    public Map<String, HostTensor> stored() {
        return backend.call(() -> {
            try (Session session = Session.open(backend)) {
                Map<String, Tensor> raw = new LinkedHashMap<>();
                parameters.forEach((key, moments) -> raw.put(key, session.tensor(moments.parameter())));
                Map<String, HostTensor> stored = new LinkedHashMap<>();
                plan.plan().fold(raw).forEach((key, value) -> stored.put(key, value.toHost()));
                return stored;
            }
        });
    }

    @Override
    public void close() {
        backend.call(() -> {
            parameters.values().forEach(moments -> {
                moments.parameter().close();
                moments.first().close();
                moments.second().close();
            });
            return Boolean.TRUE;
        });
    }
}
