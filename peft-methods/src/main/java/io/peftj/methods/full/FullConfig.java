package io.peftj.methods.full;

import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.TaskType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Settings of full fine-tuning: there is nothing to choose.
 *
 * @param taskType what the tuned model is for; null for nothing that has a name
 */
public record FullConfig(@Nullable TaskType taskType) implements AdapterConfig {
    /** Everything, with the head of whatever task it is trained for. */
    public static FullConfig ofTask() {
        return new FullConfig(null);
    }

    @Override
    public FullConfig withTaskType(TaskType type) {
        return new FullConfig(type);
    }

    /** None beside what is trained anyway. */
    @Override
    public List<String> modulesToSave() {
        return List.of();
    }
}
