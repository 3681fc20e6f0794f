package io.peftj.djl.train;

import io.peftj.core.run.Stack;
import io.peftj.core.tensor.Session;
import io.peftj.djl.backbone.Backbone;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/** Measures how well examples are predicted. */
public final class Evaluator {
    private final Backbone base;
    private final Objective objective;
    private final BooleanSupplier cancelled;

    /**
     * Measures on a model.
     *
     * @param cancelled asked between layers whether to stop
     */
    public Evaluator(Backbone base, Objective objective, BooleanSupplier cancelled) {
        this.base = base;
        this.objective = objective;
        this.cancelled = cancelled;
    }

    /**
     * Measures on all examples.
     *
     * @param examples at least one
     * @param adapters the adapters to measure with, made in each session
     */
    public Evaluation evaluate(List<Example> examples, Function<Session, Stack> adapters) {
        return objective.evaluate(new Predictor(base, adapters, cancelled), examples);
    }
}
