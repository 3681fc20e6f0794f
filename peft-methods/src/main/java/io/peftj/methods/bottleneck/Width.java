package io.peftj.methods.bottleneck;

import io.peftj.core.InvalidConfigException;

/** How narrow a bottleneck is. */
public sealed interface Width {
    /** The bottleneck's width in a model of a width, at least 1. */
    int in(int modelWidth);

    /** A width of its own, whatever the model's. */
    record Of(int rank) implements Width {
        /**
         * Checks the width.
         *
         * @throws InvalidConfigException if it is under 1
         */
        public Of {
            if (rank < 1) {
                throw new InvalidConfigException("r: expected a width of at least 1, found " + rank
                        + "; 8 to 256 are usual, or give a reduction instead");
            }
        }

        @Override
        public int in(int modelWidth) {
            return rank;
        }
    }

    /** A share of the model's width, rounded down. */
    record Reduced(int reduction) implements Width {
        /**
         * Checks the reduction.
         *
         * @throws InvalidConfigException if it is under 1
         */
        public Reduced {
            if (reduction < 1) {
                throw new InvalidConfigException("reduction: expected a divisor of at least 1, found " + reduction
                        + "; 2 to 64 are usual, or give the width r itself");
            }
        }

        @Override
        public int in(int modelWidth) {
            return Math.max(1, modelWidth / reduction);
        }
    }
}
