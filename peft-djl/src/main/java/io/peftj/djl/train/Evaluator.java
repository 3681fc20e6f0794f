package io.peftj.djl.train;

import io.peftj.core.run.Batch;
import io.peftj.core.run.Run;
import io.peftj.core.run.Stack;
import io.peftj.core.tensor.Session;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.train.Objective.Measure;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/** Measures how well examples are predicted. */
public final class Evaluator {
    /** Rows of one forward pass. */
    private static final int ROWS = 64;

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
     * The mean over all examples.
     *
     * @param adapters the adapters to measure with, made in each session
     */
    public Evaluation evaluate(List<Example> examples, Function<Session, Stack> adapters) {
        List<Measure> measures = new ArrayList<>();
        for (int from = 0; from < examples.size(); from += ROWS) {
            measures.addAll(measure(examples.subList(from, Math.min(examples.size(), from + ROWS)), adapters));
        }
        long learnt = examples.stream().mapToLong(Example::learnt).sum();
        double loss = measures.stream().mapToDouble(Measure::loss).sum();
        return new Evaluation(loss / learnt, learnt, accuracy(measures));
    }

    private static OptionalDouble accuracy(List<Measure> measures) {
        return measures.stream()
                .map(Measure::right)
                .filter(Objects::nonNull)
                .mapToInt(right -> right ? 1 : 0)
                .average();
    }

    /** How well each of a batch's examples is predicted, in the order given. */
    public List<Measure> measure(List<Example> examples, Function<Session, Stack> adapters) {
        return base.call("evaluate", cancelled, session -> {
            Stack stack = adapters.apply(session);
            Batch batch = Batch.of(
                    session,
                    base.spec(),
                    examples.stream().map(example -> example.row(stack)).toList());
            List<Example> sorted = new ArrayList<>();
            for (int row = 0; row < examples.size(); row++) {
                sorted.add(examples.get(batch.callersRow(row)));
            }
            List<Measure> measures = objective.measure(base, new Run(session, batch, null), sorted);
            Measure[] inOrder = new Measure[measures.size()];
            for (int row = 0; row < inOrder.length; row++) {
                inOrder[batch.callersRow(row)] = measures.get(row);
            }
            return List.of(inOrder);
        });
    }
}
