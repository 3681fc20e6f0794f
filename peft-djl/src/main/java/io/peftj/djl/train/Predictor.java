package io.peftj.djl.train;

import io.peftj.core.run.Batch;
import io.peftj.core.run.Row;
import io.peftj.core.run.Run;
import io.peftj.core.run.Stack;
import io.peftj.core.tensor.Session;
import io.peftj.djl.backbone.Backbone;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/** Forward passes over examples that are not learnt from. */
public final class Predictor {
    /** Examples that are computed together, side by side where the backend has lanes. */
    private static final int EXAMPLES = 64;

    private final Backbone base;
    private final Function<Session, Stack> adapters;
    private final BooleanSupplier cancelled;

    /**
     * Predicts with a model and adapters.
     *
     * @param adapters the adapters of all rows, made in each session
     * @param cancelled asked between layers whether to stop
     */
    public Predictor(Backbone base, Function<Session, Stack> adapters, BooleanSupplier cancelled) {
        this.base = base;
        this.adapters = adapters;
        this.cancelled = cancelled;
    }

    /** The model. */
    public Backbone base() {
        return base;
    }

    /**
     * Computes something of each example.
     *
     * @param predict gives one result an example, of the examples whose rows make up the run's batch, in their order
     */
    public <T> List<T> each(List<Example> examples, BiFunction<Run, List<Example>, List<T>> predict) {
        List<T> results = new ArrayList<>();
        for (int from = 0; from < examples.size(); from += EXAMPLES) {
            List<Example> some = examples.subList(from, Math.min(examples.size(), from + EXAMPLES));
            results.addAll(base.each(
                    "evaluate", cancelled, some, Example::length, (session, part) -> part(session, part, predict)));
        }
        return results;
    }

    private <T> List<T> part(Session session, List<Example> part, BiFunction<Run, List<Example>, List<T>> predict) {
        Stack stack = adapters.apply(session);
        List<Row> rows =
                part.stream().flatMap(example -> example.rows(stack).stream()).toList();
        return predict.apply(new Run(session, Batch.of(session, base.spec(), rows), null), part);
    }

    /** Computes something else in a session of its own. */
    public <T> T call(Function<Session, T> body) {
        return base.call("evaluate", cancelled, body);
    }
}
