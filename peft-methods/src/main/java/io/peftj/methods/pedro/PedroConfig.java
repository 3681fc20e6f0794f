package io.peftj.methods.pedro;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterConfigBuilder;
import io.peftj.core.adapter.TaskType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Settings of PEDRO.
 *
 * @param rank r, the inner width of each layer's generator, at least 1
 * @param pooling how a prompt's states become one
 * @param poolNorm whether what was pooled is normed, so that the activation stays in its range
 * @param activation the nonlinearity inside the generator
 * @param targets what is scaled, of {@link PedroTarget} in its order, at least one
 * @param modulesToSave modules trained and saved whole
 * @param headOfTask whether the task's head, if it has one, is still to be added to these
 * @param taskType what the adapted model is for; null for nothing PEFT has a name for
 */
public record PedroConfig(
        int rank,
        PromptPooling pooling,
        boolean poolNorm,
        PedroActivation activation,
        List<PedroTarget> targets,
        List<String> modulesToSave,
        boolean headOfTask,
        @Nullable TaskType taskType)
        implements AdapterConfig {
    /**
     * Checks all values.
     *
     * @throws InvalidConfigException if one is out of its range
     */
    public PedroConfig {
        targets = List.copyOf(targets);
        modulesToSave = List.copyOf(modulesToSave);
        if (rank < 1) {
            throw new InvalidConfigException("r: expected at least 1, found " + rank + "; 12 is usual");
        }
        if (targets.isEmpty() || !targets.stream().sorted().distinct().toList().equals(targets)) {
            throw new InvalidConfigException("targets: expected some of " + PedroTarget.KEYS + ", in this order, found "
                    + targets.stream().map(PedroTarget::key).toList() + "; all three are usual");
        }
    }

    @Override
    public PedroConfig withTaskType(TaskType type) {
        return toBuilder().taskType(type).build();
    }

    /** Starts with rank 12 on all targets, the last token's normed state, and a rational function like a GELU. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder that starts with these settings. */
    public Builder toBuilder() {
        return new Builder(this);
    }

    /** Collects the settings; {@link #build()} checks them. */
    public static final class Builder extends AdapterConfigBuilder<Builder> {
        private int rank = 12;
        private PromptPooling pooling = PromptPooling.LAST;
        private boolean poolNorm = true;
        private PedroActivation activation = PedroActivation.rational();
        private List<PedroTarget> targets = List.of(PedroTarget.values());
        private boolean headOfTask = true;

        private Builder() {}

        private Builder(PedroConfig config) {
            super(config);
            rank = config.rank;
            pooling = config.pooling;
            poolNorm = config.poolNorm;
            activation = config.activation;
            targets = config.targets;
            headOfTask = config.headOfTask;
        }

        /** The inner width of each layer's generator. */
        public Builder rank(int value) {
            rank = value;
            return this;
        }

        /** How a prompt's states become one. */
        public Builder pooling(PromptPooling value) {
            pooling = value;
            return this;
        }

        /** Whether what was pooled is normed. */
        public Builder poolNorm(boolean value) {
            poolNorm = value;
            return this;
        }

        /** The nonlinearity inside the generator. */
        public Builder activation(PedroActivation value) {
            activation = value;
            return this;
        }

        /** What is scaled. */
        public Builder targets(List<PedroTarget> value) {
            targets = value;
            return this;
        }

        /** Whether the task's head is trained too; files say so in modules_to_save. */
        public Builder headOfTask(boolean value) {
            headOfTask = value;
            return this;
        }

        /**
         * Checks and makes the configuration.
         *
         * @throws InvalidConfigException if a value is out of its range
         */
        public PedroConfig build() {
            return new PedroConfig(
                    rank, pooling, poolNorm, activation, targets, modulesToSave(), headOfTask, taskType());
        }
    }
}
