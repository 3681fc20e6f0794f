package io.peftj.examples.cli;

import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterMethods;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.run.ResidentAdapter;
import io.peftj.core.run.Stack;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.train.AnswerTask;
import io.peftj.djl.train.Evaluation;
import io.peftj.djl.train.Example;
import io.peftj.djl.train.Objective;
import io.peftj.djl.train.Predictor;
import io.peftj.djl.train.PromptAnswer;
import io.peftj.djl.train.Task;
import java.util.List;

/** Measures adapters, and models without one. */
final class Measurement {
    private Measurement() {}

    /** What is found out about examples. */
    interface Question<T> {
        T ask(Objective objective, Predictor predictor, List<Example> examples);
    }

    /** How well an adapter that fits the model does on rows of a task. */
    static <R> Evaluation of(Backbone base, Adapter adapter, Task<R> task, List<R> rows) {
        return of(base, adapter, task, rows, Objective::evaluate);
    }

    /** Something else about it. */
    static <R, T> T of(Backbone base, Adapter adapter, Task<R> task, List<R> rows, Question<T> question) {
        AdapterPlan plan = AdapterMethods.plan(task.spec(base), adapter.config());
        try (ResidentAdapter resident = ResidentAdapter.load(base, "adapter", plan, adapter.parameters())) {
            Predictor predictor = new Predictor(base, session -> Stack.of(resident.in(session)), () -> false);
            return question.ask(task.objective(base), predictor, task.examples(base, plan, rows));
        }
    }

    /** How well the base model alone does on answers. */
    static Evaluation ofBase(Backbone base, AnswerTask task, List<PromptAnswer> rows) {
        Predictor predictor = new Predictor(base, session -> Stack.BASE, () -> false);
        return task.objective(base).evaluate(predictor, task.examples(base, 0, rows));
    }
}
