package io.peftj.core.adapter;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The settings of one method: a record that is checked when it is made and knows nothing of a model.
 *
 * <p>Implementations are immutable records with a builder; a bad value is an {@link io.peftj.core.InvalidConfigException} that says what, expected,
 * found and the remedy.
 */
public interface AdapterConfig {
    /** What the adapted model is for; null where the file does not say. */
    @Nullable
    TaskType taskType();

    /** The same settings for a task: trainers fill in what {@link #taskType()} leaves open. */
    AdapterConfig withTaskType(TaskType taskType);

    /** Modules that are trained and saved whole beside the adapter, as PEFT's modules_to_save. */
    List<String> modulesToSave();

    /** Whether copies of the base's parameters in the method's files are the base's own; not so where a start takes a part out of them. */
    default boolean copiesBaseUnchanged() {
        return true;
    }
}
