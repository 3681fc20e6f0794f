package io.peftj.djl.contract;

import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.site.Role;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Settings of the guide's method: what is amplified. */
record GainConfig(
        List<Role> roles,
        List<String> modulesToSave,
        @Nullable TaskType taskType) implements AdapterConfig {
    GainConfig {
        roles = List.copyOf(roles);
        modulesToSave = List.copyOf(modulesToSave);
    }

    @Override
    public GainConfig withTaskType(TaskType other) {
        return new GainConfig(roles, modulesToSave, other);
    }
}
