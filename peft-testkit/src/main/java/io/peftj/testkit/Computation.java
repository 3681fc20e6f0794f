package io.peftj.testkit;

import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Tensor;
import java.util.List;
import java.util.Map;

/** A pure function of named tensors, written in the vocabulary. */
@FunctionalInterface
public interface Computation {
    /**
     * Computes the results.
     *
     * @param session the session that the inputs belong to
     * @param inputs by name
     * @return what is differentiated; of any shape
     */
    List<Tensor> run(Session session, Map<String, Tensor> inputs);
}
