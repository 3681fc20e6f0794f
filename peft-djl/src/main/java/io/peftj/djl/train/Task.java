package io.peftj.djl.train;

import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.TaskData;
import io.peftj.core.adapter.TaskType;
import io.peftj.djl.backbone.Backbone;
import java.util.List;

/**
 * What is learnt from rows of data: how they become token ids and what counts as right. Made by {@link Tasks}.
 *
 * @param <R> a row of the data
 */
public sealed interface Task<R> permits ClassificationTask, AnswerTask, ChatTask, TextTask, EmbeddingTask {
    /** The model as methods plan on it: with the task's head, if it has one. */
    BackboneSpec spec(Backbone base);

    /** The task types that an adapter for this may have; the first is what it gets where its configuration leaves it open. */
    List<TaskType> types(Backbone base);

    /** What makes an answer wrong. */
    Objective objective(Backbone base);

    /** What travels with the adapter. */
    TaskData data(Backbone base);

    /**
     * Makes examples of rows, numbered in their order.
     *
     * @throws io.peftj.core.PeftException if a row cannot be learnt from, naming it
     */
    List<Example> examples(Backbone base, AdapterPlan plan, Iterable<R> rows);
}
