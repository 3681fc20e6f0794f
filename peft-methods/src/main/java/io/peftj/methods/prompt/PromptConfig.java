package io.peftj.methods.prompt;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterConfigBuilder;
import io.peftj.core.adapter.PromptDimensions;
import io.peftj.core.adapter.TaskType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Settings of prompt tuning, under the meanings that PEFT gives them.
 *
 * @param virtualTokens length of the prompt, at least 1
 * @param init how its vectors start
 * @param dimensions the model's sizes; null where only the model knows them
 * @param modulesToSave modules trained and saved whole
 * @param taskType what the adapted model is for; null for nothing PEFT has a name for
 */
public record PromptConfig(
        int virtualTokens,
        PromptInit init,
        @Nullable PromptDimensions dimensions,
        List<String> modulesToSave,
        @Nullable TaskType taskType)
        implements AdapterConfig {
    /**
     * Checks all values.
     *
     * @throws InvalidConfigException if one is out of its range
     */
    public PromptConfig {
        modulesToSave = List.copyOf(modulesToSave);
        if (virtualTokens < 1) {
            throw new InvalidConfigException(
                    "num_virtual_tokens: expected at least 1, found " + virtualTokens + "; 8 to 100 are usual");
        }
    }

    @Override
    public PromptConfig withTaskType(TaskType type) {
        return toBuilder().taskType(type).build();
    }

    PromptConfig withDimensions(PromptDimensions sizes) {
        return new PromptConfig(virtualTokens, init, sizes, modulesToSave, taskType);
    }

    /** Starts with a normally distributed prompt of 20 tokens. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder that starts with these settings. */
    public Builder toBuilder() {
        return new Builder(this);
    }

    /** Collects the settings; {@link #build()} checks them. */
    public static final class Builder extends AdapterConfigBuilder<Builder> {
        private int virtualTokens = 20;
        private PromptInit init = PromptInit.normal();
        private @Nullable PromptDimensions dimensions;

        private Builder() {}

        private Builder(PromptConfig config) {
            super(config);
            virtualTokens = config.virtualTokens;
            init = config.init;
            dimensions = config.dimensions;
        }

        /** Length of the prompt. */
        public Builder virtualTokens(int value) {
            virtualTokens = value;
            return this;
        }

        /** How the vectors start. */
        public Builder init(PromptInit value) {
            init = value;
            return this;
        }

        /**
         * Checks and makes the configuration.
         *
         * @throws InvalidConfigException if a value is out of its range
         */
        public PromptConfig build() {
            return new PromptConfig(virtualTokens, init, dimensions, modulesToSave(), taskType());
        }
    }
}
