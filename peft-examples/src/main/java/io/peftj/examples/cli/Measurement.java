package io.peftj.examples.cli;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.run.Stack;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.train.Evaluation;
import io.peftj.djl.train.Evaluator;
import io.peftj.djl.train.Task;
import java.util.List;

/** Measures adapters. */
final class Measurement {
    private Measurement() {}

    /** How well an adapter that fits the model does on rows of a task. */
    static <R> Evaluation of(Backbone base, Adapter adapter, Task<R> task, List<R> rows) {
        AdapterPlan plan = AdapterMethods.plan(task.spec(base), adapter.config());
        try (ResidentAdapter resident = ResidentAdapter.load(base, "adapter", plan, adapter.parameters())) {
            return new Evaluator(base, task.objective(base), () -> false)
                    .evaluate(task.examples(base, plan, rows), session -> Stack.of(resident.in(session)));
        }
    }
}
