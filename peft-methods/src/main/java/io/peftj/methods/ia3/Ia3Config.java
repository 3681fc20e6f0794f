package io.peftj.methods.ia3;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterConfigBuilder;
import io.peftj.core.adapter.TaskType;
import io.peftj.core.site.Targets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Settings of (IA)3, under the meanings that PEFT gives them.
 *
 * @param targets the layers it acts on; null for the architecture's usual ones
 * @param feedForward those of the targets whose input is scaled rather than their output; null for the architecture's usual ones
 * @param exclude layers left out though targeted; null for none
 * @param startsAtOne whether the vectors start at 1, so that the adapter starts as an identity; otherwise normally distributed
 * @param fanInFanOut what the file says of the base's layout, which PEFT has to be told: true for GPT-2. It changes nothing here
 * @param modulesToSave modules trained and saved whole
 * @param taskType what the adapted model is for; null for nothing PEFT has a name for
 */
public record Ia3Config(
        @Nullable Targets targets,
        @Nullable FeedForward feedForward,
        @Nullable Targets exclude,
        boolean startsAtOne,
        boolean fanInFanOut,
        List<String> modulesToSave,
        @Nullable TaskType taskType)
        implements AdapterConfig {
    /**
     * Checks all values.
     *
     * @throws InvalidConfigException if feed-forward modules are not among the targets, where both are lists
     */
    public Ia3Config {
        modulesToSave = List.copyOf(modulesToSave);
        if (targets instanceof Targets.Names all
                && feedForward != null
                && !all.names().containsAll(feedForward.names())) {
            throw new InvalidConfigException("feedforward_modules: expected entries of target_modules, " + all.names()
                    + ", found " + feedForward.names() + "; add the missing ones to target_modules");
        }
    }

    @Override
    public Ia3Config withTaskType(TaskType type) {
        return toBuilder().taskType(type).build();
    }

    /** Starts with the architecture's usual targets and vectors of 1. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder that starts with these settings. */
    public Builder toBuilder() {
        return new Builder(this);
    }

    /** Collects the settings; {@link #build()} checks them. */
    public static final class Builder extends AdapterConfigBuilder<Builder> {
        private @Nullable Targets targets;
        private @Nullable FeedForward feedForward;
        private @Nullable Targets exclude;
        private boolean startsAtOne = true;
        private boolean fanInFanOut;

        private Builder() {}

        private Builder(Ia3Config config) {
            super(config);
            targets = config.targets;
            feedForward = config.feedForward;
            exclude = config.exclude;
            startsAtOne = config.startsAtOne;
            fanInFanOut = config.fanInFanOut;
        }

        /** Ends of the names of the layers to act on, such as "k_proj". */
        public Builder targets(String... names) {
            return targets(Targets.names(names));
        }

        /** The layers to act on; null for the architecture's usual ones. */
        public Builder targets(@Nullable Targets value) {
            targets = value;
            return this;
        }

        /** Ends of the names of those targets whose input is scaled, such as "down_proj". */
        public Builder feedForward(String... names) {
            return feedForward(FeedForward.of(names));
        }

        /** Those targets whose input is scaled; null for the architecture's usual ones. */
        public Builder feedForward(@Nullable FeedForward value) {
            feedForward = value;
            return this;
        }

        /** Layers to leave out. */
        public Builder exclude(@Nullable Targets value) {
            exclude = value;
            return this;
        }

        /** Whether the vectors start at 1. */
        public Builder startsAtOne(boolean value) {
            startsAtOne = value;
            return this;
        }

        /** What PEFT is told of the base's layout. */
        Builder fanInFanOut(boolean value) {
            fanInFanOut = value;
            return this;
        }

        /**
         * Checks and makes the configuration.
         *
         * @throws InvalidConfigException if values contradict each other
         */
        public Ia3Config build() {
            return new Ia3Config(targets, feedForward, exclude, startsAtOne, fanInFanOut, modulesToSave(), taskType());
        }
    }
}
