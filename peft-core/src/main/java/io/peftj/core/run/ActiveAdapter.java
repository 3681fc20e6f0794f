package io.peftj.core.run;

import io.peftj.core.tensor.Tensor;
import java.util.Map;

/**
 * An adapter ready to act in one session: its plan and its effective parameters there.
 *
 * @param name tells adapters apart; dropout draws by it, so an adapter draws alike in every batch
 * @param plan where it acts
 * @param effective its effective parameters by name
 */
public record ActiveAdapter(String name, BoundPlan plan, Map<String, Tensor> effective) {
    Tensor parameter(String parameter) {
        Tensor value = effective.get(parameter);
        if (value == null) {
            throw new IllegalStateException("adapter " + name + " has no effective parameter " + parameter);
        }
        return value;
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
