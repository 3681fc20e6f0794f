package io.peftj.core.run;

import io.peftj.core.tensor.CounterRandom;

/**
 * What dropout draws by, besides who is meant.
 *
 * @param seed the run's seed
 * @param step the optimiser step
 */
public record Training(long seed, long step) {
    /** The key of an adapter's token: the same in every batch, order and replay. */
    long key(String adapter, long example, int token) {
        long key = CounterRandom.key(CounterRandom.key(CounterRandom.key(seed, "dropout"), step), adapter);
        return CounterRandom.key(CounterRandom.key(key, example), token);
    }
}
