package io.peftj.core.adapter;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Collects what all methods' settings have; a method's own builder adds the rest and a {@code build()} that checks them.
 *
 * @param <B> the method's own builder
 */
public abstract class AdapterConfigBuilder<B extends AdapterConfigBuilder<B>> {
    private List<String> modulesToSave = List.of();
    private @Nullable TaskType taskType;

    /** Starts with no module to save and no task type. */
    protected AdapterConfigBuilder() {}

    /** Starts with a configuration's. */
    protected AdapterConfigBuilder(AdapterConfig config) {
        modulesToSave = config.modulesToSave();
        taskType = config.taskType();
    }

    /** Modules trained and saved whole. */
    public final B modulesToSave(List<String> value) {
        modulesToSave = value;
        return self();
    }

    /** What the adapted model is for. */
    public final B taskType(@Nullable TaskType value) {
        taskType = value;
        return self();
    }

    /** What {@link #modulesToSave(List)} was given last. */
    protected final List<String> modulesToSave() {
        return modulesToSave;
    }

    /** What {@link #taskType(TaskType)} was given last. */
    protected final @Nullable TaskType taskType() {
        return taskType;
    }

    @SuppressWarnings("unchecked") // a subclass names itself
    private B self() {
        return (B) this;
    }
}
