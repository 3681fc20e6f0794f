package io.peftj.methods.head;

import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.TaskType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Settings of training nothing but the task's head.
 *
 * @param modulesToSave more modules to train and save whole
 * @param taskType what the adapted model is for: SEQ_CLS or FEATURE_EXTRACTION have a head; null for modules to save alone
 */
public record HeadConfig(
        List<String> modulesToSave, @Nullable TaskType taskType) implements AdapterConfig {
    /** Keeps a copy. */
    public HeadConfig {
        modulesToSave = List.copyOf(modulesToSave);
    }

    /** The head of whatever task it is trained for. */
    public static HeadConfig ofTask() {
        return new HeadConfig(List.of(), null);
    }

    @Override
    public HeadConfig withTaskType(TaskType type) {
        return new HeadConfig(modulesToSave, type);
    }

    /** The head of a task. */
    public static HeadConfig of(TaskType taskType) {
        return new HeadConfig(List.of(), taskType);
    }
}
