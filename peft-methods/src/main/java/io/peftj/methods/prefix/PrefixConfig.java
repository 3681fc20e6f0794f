package io.peftj.methods.prefix;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterConfigBuilder;
import io.peftj.core.adapter.PromptDimensions;
import io.peftj.core.adapter.TaskType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Settings of prefix tuning, under the meanings that PEFT gives them.
 *
 * @param virtualTokens length of the prefix, at least 1
 * @param projection whether training goes through a network that makes the prefix; files hold what it made
 * @param encoderHiddenSize the network's inner width; null for the width of a layer's keys
 * @param init how the prefix starts
 * @param dimensions the model's sizes; null where only the model knows them
 * @param modulesToSave modules trained and saved whole
 * @param taskType what the adapted model is for; null for nothing PEFT has a name for
 */
public record PrefixConfig(
        int virtualTokens,
        boolean projection,
        @Nullable Integer encoderHiddenSize,
        PrefixInit init,
        @Nullable PromptDimensions dimensions,
        List<String> modulesToSave,
        @Nullable TaskType taskType)
        implements AdapterConfig {
    /**
     * Checks all values.
     *
     * @throws InvalidConfigException if one is out of its range or contradicts another
     */
    public PrefixConfig {
        modulesToSave = List.copyOf(modulesToSave);
        if (virtualTokens < 1) {
            throw new InvalidConfigException(
                    "num_virtual_tokens: expected at least 1, found " + virtualTokens + "; 10 to 200 are usual");
        }
        if (encoderHiddenSize != null && encoderHiddenSize < 1) {
            throw new InvalidConfigException("encoder_hidden_size: expected at least 1, found " + encoderHiddenSize
                    + "; leave it out for the width of the keys");
        }
        if (projection && init instanceof PrefixInit.Text) {
            throw new InvalidConfigException("prefix_projection: expected false for a prefix that starts from a text,"
                    + " found true; the network starts from random values, so use one of the two");
        }
    }

    @Override
    public PrefixConfig withTaskType(TaskType type) {
        return toBuilder().taskType(type).build();
    }

    /** Starts with a normally distributed prefix of 20 tokens, trained itself. */
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
        private boolean projection;
        private @Nullable Integer encoderHiddenSize;
        private PrefixInit init = PrefixInit.normal();
        private @Nullable PromptDimensions dimensions;

        private Builder() {}

        private Builder(PrefixConfig config) {
            super(config);
            virtualTokens = config.virtualTokens;
            projection = config.projection;
            encoderHiddenSize = config.encoderHiddenSize;
            init = config.init;
            dimensions = config.dimensions;
        }

        /** Length of the prefix. */
        public Builder virtualTokens(int value) {
            virtualTokens = value;
            return this;
        }

        /** Trains through a network that makes the prefix. */
        public Builder projection(boolean value) {
            projection = value;
            return this;
        }

        /** The network's inner width. */
        public Builder encoderHiddenSize(@Nullable Integer value) {
            encoderHiddenSize = value;
            return this;
        }

        /** How the prefix starts. */
        public Builder init(PrefixInit value) {
            init = value;
            return this;
        }

        /** The model's sizes. */
        Builder dimensions(@Nullable PromptDimensions value) {
            dimensions = value;
            return this;
        }

        /**
         * Checks and makes the configuration.
         *
         * @throws InvalidConfigException if a value is out of its range or contradicts another
         */
        public PrefixConfig build() {
            return new PrefixConfig(
                    virtualTokens, projection, encoderHiddenSize, init, dimensions, modulesToSave(), taskType());
        }
    }
}
