package io.peftj.examples.cli;

import io.peftj.core.PeftException;
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
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

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

    /** How many bytes an adapter's files have. */
    static long bytesOnDisk(Adapter adapter) {
        try {
            Path folder = Files.createTempDirectory("adapter");
            try {
                adapter.save(folder);
                long bytes = 0;
                for (Path file : filesOf(folder)) {
                    bytes += Files.size(file);
                }
                return bytes;
            } finally {
                for (Path file : filesOf(folder)) {
                    Files.delete(file);
                }
                Files.delete(folder);
            }
        } catch (IOException e) {
            throw new PeftException(
                    "the adapter could not be saved to the folder for temporary files ("
                            + System.getProperty("java.io.tmpdir") + "), to see how long its files are: "
                            + e.getMessage()
                            + "; make it writable",
                    e);
        }
    }

    private static List<Path> filesOf(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    /** How well the base model alone does on answers. */
    static Evaluation ofBase(Backbone base, AnswerTask task, List<PromptAnswer> rows) {
        Predictor predictor = new Predictor(base, session -> Stack.BASE, () -> false);
        return task.objective(base).evaluate(predictor, task.examples(base, 0, rows));
    }
}
