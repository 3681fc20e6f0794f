package io.peftj.core.run;

import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Parameters of adapters that act side by side, stacked once for many passes. For passes of one generation, one after another, with the same resident
 * adapters: whoever opens it closes it when the adapters are others, and before they are closed.
 */
public final class ResidentStacks implements AutoCloseable {
    private final Backend backend;
    private final Map<List<Object>, Constant> stacks = new HashMap<>();

    /** Nothing stacked yet. */
    public ResidentStacks(Backend backend) {
        this.backend = backend;
    }

    /**
     * A stack in a session.
     *
     * @param key tells stacks apart: plans and names of what is stacked, and how
     * @param stack makes it where it is not there yet
     */
    Tensor get(Session session, List<Object> key, Supplier<Tensor> stack) {
        Constant known = stacks.get(key);
        if (known == null) {
            known = Constant.keeping(stack.get());
            stacks.put(key, known);
        }
        return session.tensor(known);
    }

    @Override
    public void close() {
        backend.callUninterrupted(() -> {
            stacks.values().forEach(Constant::close);
            stacks.clear();
            return Boolean.TRUE;
        });
    }
}
