package io.peftj.testkit.operation;

import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import java.util.Map;

/** What an operation's case computes with. */
public final class Operands {
    private final Session session;
    private final DType dtype;
    private final Map<String, Tensor> tensors;
    private final Map<String, Weight> weights;

    Operands(Session session, DType dtype, Map<String, Tensor> tensors, Map<String, Weight> weights) {
        this.session = session;
        this.dtype = dtype;
        this.tensors = tensors;
        this.weights = weights;
    }

    /** The session of all tensors. */
    public Session session() {
        return session;
    }

    /** The format that the case runs in. */
    public DType dtype() {
        return dtype;
    }

    /** An input. */
    public Tensor get(String name) {
        return known(tensors, name);
    }

    /** A frozen matrix. */
    public Weight weight(String name) {
        return known(weights, name);
    }

    private static <T> T known(Map<String, T> values, String name) {
        T value = values.get(name);
        if (value == null) {
            throw new IllegalArgumentException("the case has no operand " + name + "; it has " + values.keySet());
        }
        return value;
    }
}
