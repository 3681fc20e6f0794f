package io.peftj.methods.bottleneck;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterConfigBuilder;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.tensor.Activation;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Settings of bottleneck adapters.
 *
 * @param placement where they stand
 * @param width how narrow they are
 * @param activation the nonlinearity between the two matrices
 * @param scale what the bottleneck's output is multiplied by, finite and not 0
 * @param modulesToSave modules trained and saved whole
 * @param taskType what the adapted model is for; null for nothing that has a name
 */
public record BottleneckConfig(
        Placement placement,
        Width width,
        Activation activation,
        double scale,
        List<String> modulesToSave,
        @Nullable TaskType taskType)
        implements AdapterConfig {
    /**
     * Checks all values.
     *
     * @throws InvalidConfigException if the scale is 0 or not finite
     */
    public BottleneckConfig {
        modulesToSave = List.copyOf(modulesToSave);
        if (!Double.isFinite(scale) || scale == 0) {
            throw new InvalidConfigException("scale: expected a finite number other than 0, found " + scale
                    + "; 1 in series and 4 in parallel are usual");
        }
    }

    @Override
    public BottleneckConfig withTaskType(TaskType type) {
        return toBuilder().taskType(type).build();
    }

    /** Starts with the settings of a placement's paper. */
    public static Builder builder(Placement placement) {
        return new Builder(placement);
    }

    /** A builder that starts with these settings. */
    public Builder toBuilder() {
        return new Builder(placement)
                .width(width)
                .activation(activation)
                .scale(scale)
                .modulesToSave(modulesToSave)
                .taskType(taskType);
    }

    /** Collects the settings; {@link #build()} checks them. */
    public static final class Builder extends AdapterConfigBuilder<Builder> {
        private final Placement placement;
        private Width width;
        private Activation activation;
        private double scale;

        private Builder(Placement placement) {
            this.placement = placement;
            this.width = new Width.Reduced(placement.reduction());
            this.activation = placement.activation();
            this.scale = placement.scale();
        }

        /** The bottleneck's width, whatever the model's. */
        public Builder rank(int value) {
            return width(new Width.Of(value));
        }

        /** How many times narrower than the model the bottleneck is. */
        public Builder reduction(int value) {
            return width(new Width.Reduced(value));
        }

        /** How narrow the bottleneck is. */
        public Builder width(Width value) {
            width = value;
            return this;
        }

        /** The nonlinearity between the two matrices. */
        public Builder activation(Activation value) {
            activation = value;
            return this;
        }

        /** What the bottleneck's output is multiplied by. */
        public Builder scale(double value) {
            scale = value;
            return this;
        }

        /**
         * Checks and makes the configuration.
         *
         * @throws InvalidConfigException if a value is out of its range
         */
        public BottleneckConfig build() {
            return new BottleneckConfig(placement, width, activation, scale, modulesToSave(), taskType());
        }
    }
}
