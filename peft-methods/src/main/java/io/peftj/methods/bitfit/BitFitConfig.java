package io.peftj.methods.bitfit;

import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.TaskType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Settings of BitFit.
 *
 * @param modulesToSave modules trained and saved whole
 * @param taskType what the adapted model is for; null for nothing that has a name
 */
public record BitFitConfig(
        List<String> modulesToSave, @Nullable TaskType taskType) implements AdapterConfig {
    /** Keeps a copy. */
    public BitFitConfig {
        modulesToSave = List.copyOf(modulesToSave);
    }

    /** The biases, and the head of whatever task it is trained for. */
    public static BitFitConfig ofTask() {
        return new BitFitConfig(List.of(), null);
    }

    @Override
    public BitFitConfig withTaskType(TaskType type) {
        return new BitFitConfig(modulesToSave, type);
    }
}
