package io.peftj.methods.reft;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.adapter.AdapterConfigBuilder;
import io.peftj.core.adapter.PromptPlaces;
import io.peftj.core.adapter.TaskType;
import java.util.HashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Settings of LoReFT and its family.
 *
 * @param variant the member of the family
 * @param rank r, the width of the subspace, at least 1
 * @param layers the layers behind which states are edited; empty for all
 * @param firstPositions how many of a prompt's first tokens are edited at most; never more than half of it
 * @param lastPositions how many of its last tokens are edited at most, likewise
 * @param shareWeights whether first and last positions have one set of parameters together
 * @param lengthOffset what a prompt's length is taken to differ by: 0, or −1 as pyreft's data sets have it
 * @param dropout the probability with which elements of edited states are dropped in training, 0 to below 1
 * @param modulesToSave modules trained and saved whole
 * @param headOfTask whether the task's head, if it has one, is still to be added to these
 * @param taskType what the adapted model is for; null for nothing PEFT has a name for
 */
public record ReftConfig(
        ReftVariant variant,
        int rank,
        List<Integer> layers,
        int firstPositions,
        int lastPositions,
        boolean shareWeights,
        int lengthOffset,
        double dropout,
        List<String> modulesToSave,
        boolean headOfTask,
        @Nullable TaskType taskType)
        implements AdapterConfig {
    /**
     * Checks all values.
     *
     * @throws InvalidConfigException if one is out of its range
     */
    public ReftConfig {
        layers = List.copyOf(layers);
        modulesToSave = List.copyOf(modulesToSave);
        if (rank < 1) {
            throw new InvalidConfigException("r: expected at least 1, found " + rank + "; 1 to 8 are usual");
        }
        if (firstPositions < 0 || lastPositions < 0 || firstPositions + lastPositions == 0) {
            throw new InvalidConfigException(
                    "first_positions and last_positions: expected numbers from 0 on, not both 0," + " found "
                            + firstPositions + " and " + lastPositions + "; 7 and 7 are usual");
        }
        if (lengthOffset != 0 && lengthOffset != -1) {
            throw new InvalidConfigException(
                    "length_offset: expected 0, or -1 as pyreft counts, found " + lengthOffset + "; leave it out");
        }
        if (!(dropout >= 0 && dropout < 1)) {
            throw new InvalidConfigException("dropout: expected 0 to below 1, found " + dropout + "; 0 is usual");
        }
        if (new HashSet<>(layers).size() < layers.size()) {
            throw new InvalidConfigException("layers: expected each number once, found " + layers);
        }
    }

    @Override
    public ReftConfig withTaskType(TaskType type) {
        return toBuilder().taskType(type).build();
    }

    /** Starts with LoReFT of rank 8 behind all layers, at the first and last 7 positions with one set of parameters. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder that starts with these settings. */
    public Builder toBuilder() {
        return new Builder(this);
    }

    /** Collects the settings; {@link #build()} checks them. */
    public static final class Builder extends AdapterConfigBuilder<Builder> {
        private ReftVariant variant = ReftVariant.LOREFT;
        private int rank = 8;
        private List<Integer> layers = List.of();
        private int firstPositions = 7;
        private int lastPositions = 7;
        private boolean shareWeights = true;
        private int lengthOffset;
        private double dropout;
        private boolean headOfTask = true;

        private Builder() {}

        private Builder(ReftConfig config) {
            super(config);
            variant = config.variant;
            rank = config.rank;
            layers = config.layers;
            firstPositions = config.firstPositions;
            lastPositions = config.lastPositions;
            shareWeights = config.shareWeights;
            lengthOffset = config.lengthOffset;
            dropout = config.dropout;
            headOfTask = config.headOfTask;
        }

        /** The member of the family. */
        public Builder variant(ReftVariant value) {
            variant = value;
            return this;
        }

        /** The width of the subspace. */
        public Builder rank(int value) {
            rank = value;
            return this;
        }

        /** The layers behind which states are edited; empty for all. */
        public Builder layers(List<Integer> value) {
            layers = value;
            return this;
        }

        /** How many of a prompt's first and last tokens are edited, at most half of it each. */
        public Builder positions(int first, int last) {
            firstPositions = first;
            lastPositions = last;
            return this;
        }

        /** Whether first and last positions have one set of parameters together. */
        public Builder shareWeights(boolean value) {
            shareWeights = value;
            return this;
        }

        /** What a prompt's length is taken to differ by, 0 or −1. */
        public Builder lengthOffset(int value) {
            lengthOffset = value;
            return this;
        }

        /** The probability with which elements of edited states are dropped in training. */
        public Builder dropout(double value) {
            dropout = value;
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
        public ReftConfig build() {
            return new ReftConfig(
                    variant,
                    rank,
                    layers,
                    firstPositions,
                    lastPositions,
                    shareWeights,
                    lengthOffset,
                    dropout,
                    modulesToSave(),
                    headOfTask,
                    taskType());
        }
    }

    /** The sets of parameters that a layer has, by their names in files. */
    List<Part> parts() {
        if (shareWeights) {
            return List.of(new Part("all", new PromptPlaces(firstPositions, lastPositions, lengthOffset)));
        }
        return List.of(
                        new Part("first", new PromptPlaces(firstPositions, 0, lengthOffset)),
                        new Part("last", new PromptPlaces(0, lastPositions, lengthOffset)))
                .stream()
                .filter(part -> part.places().first() + part.places().last() > 0)
                .toList();
    }

    /** A set of parameters and the places it edits. */
    record Part(String name, PromptPlaces places) {}
}
