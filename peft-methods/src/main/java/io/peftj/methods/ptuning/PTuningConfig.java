package io.peftj.methods.ptuning;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterConfigBuilder;
import io.peftj.core.adapter.PromptDimensions;
import io.peftj.core.adapter.TaskType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Settings of P-tuning, under the meanings that PEFT gives them.
 *
 * @param virtualTokens length of the prompt, at least 1
 * @param encoder the network that makes the prompt in training; files hold what it made
 * @param encoderHiddenSize the network's inner width; null for the model's
 * @param encoderLayers an LSTM's layers, kept for files: as in PEFT they mean nothing to the other network
 * @param encoderDropout an LSTM's dropout, likewise
 * @param dimensions the model's sizes; null where only the model knows them
 * @param modulesToSave modules trained and saved whole
 * @param taskType what the adapted model is for; null for nothing PEFT has a name for
 */
public record PTuningConfig(
        int virtualTokens,
        Encoder encoder,
        @Nullable Integer encoderHiddenSize,
        int encoderLayers,
        double encoderDropout,
        @Nullable PromptDimensions dimensions,
        List<String> modulesToSave,
        @Nullable TaskType taskType)
        implements AdapterConfig {
    /** PEFT's number of an LSTM's layers. */
    static final int LAYERS = 2;

    /**
     * Checks all values.
     *
     * @throws InvalidConfigException if one is out of its range
     */
    public PTuningConfig {
        modulesToSave = List.copyOf(modulesToSave);
        if (virtualTokens < 1) {
            throw new InvalidConfigException(
                    "num_virtual_tokens: expected at least 1, found " + virtualTokens + "; 8 to 100 are usual");
        }
        if (encoderHiddenSize != null && encoderHiddenSize < 1) {
            throw new InvalidConfigException("encoder_hidden_size: expected at least 1, found " + encoderHiddenSize
                    + "; leave it out for the model's width");
        }
    }

    @Override
    public PTuningConfig withTaskType(TaskType type) {
        return toBuilder().taskType(type).build();
    }

    /** The same on a model of some sizes, which are the network's where it has none of its own. */
    PTuningConfig withDimensions(PromptDimensions sizes) {
        return new PTuningConfig(
                virtualTokens,
                encoder,
                encoderHiddenSize == null ? Integer.valueOf(sizes.tokenDim()) : encoderHiddenSize,
                encoderLayers,
                encoderDropout,
                sizes,
                modulesToSave,
                taskType);
    }

    /** Starts with a prompt of 20 tokens and a network as wide as the model. */
    public static Builder builder() {
        return new Builder(new PTuningConfig(20, Encoder.MLP, null, LAYERS, 0, null, List.of(), null));
    }

    /** A builder that starts with these settings. */
    public Builder toBuilder() {
        return new Builder(this);
    }

    /** Collects the settings; {@link #build()} checks them. */
    public static final class Builder extends AdapterConfigBuilder<Builder> {
        private final PTuningConfig start;
        private int virtualTokens;
        private @Nullable Integer encoderHiddenSize;

        private Builder(PTuningConfig start) {
            super(start);
            this.start = start;
            this.virtualTokens = start.virtualTokens;
            this.encoderHiddenSize = start.encoderHiddenSize;
        }

        /** Length of the prompt. */
        public Builder virtualTokens(int value) {
            virtualTokens = value;
            return this;
        }

        /** The network's inner width. */
        public Builder encoderHiddenSize(@Nullable Integer value) {
            encoderHiddenSize = value;
            return this;
        }

        /**
         * Checks and makes the configuration.
         *
         * @throws InvalidConfigException if a value is out of its range
         */
        public PTuningConfig build() {
            return new PTuningConfig(
                    virtualTokens,
                    start.encoder,
                    encoderHiddenSize,
                    start.encoderLayers,
                    start.encoderDropout,
                    start.dimensions,
                    modulesToSave(),
                    taskType());
        }
    }
}
