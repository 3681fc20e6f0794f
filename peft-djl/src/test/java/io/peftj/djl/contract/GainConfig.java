package io.peftj.djl.contract;

import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.TaskType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Settings of the guide's method: the layers whose outputs are amplified. */
record GainConfig(
        List<String> targets,
        List<String> modulesToSave,
        @Nullable TaskType taskType) implements AdapterConfig {
    GainConfig {
        targets = List.copyOf(targets);
        modulesToSave = List.copyOf(modulesToSave);
    }

    @Override
    public GainConfig withTaskType(TaskType other) {
        return new GainConfig(targets, modulesToSave, other);
    }
}
