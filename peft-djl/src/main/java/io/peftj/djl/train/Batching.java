package io.peftj.djl.train;

import io.peftj.core.tensor.CounterRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** How the examples of an epoch are put into batches: every example once, in an order that the run's seed decides. */
public sealed interface Batching {
    /** Shuffled batches of a number of rows; the last may be smaller. */
    static Batching rows(int rows) {
        return new Rows(rows);
    }

    /** Shuffled batches of rows of like lengths, as many as fit into a number of tokens, at least one. */
    static Batching tokens(int tokens) {
        return new Tokens(tokens);
    }

    /**
     * The batches of an epoch.
     *
     * @param lengths each example's tokens
     * @param random the epoch's own stream
     * @return the examples' places, a list a batch
     */
    List<List<Integer>> batches(int[] lengths, CounterRandom random);

    /** {@link #rows}. */
    record Rows(int rows) implements Batching {
        /** Checks the number. */
        public Rows {
            if (rows < 1) {
                throw new IllegalArgumentException("rows of a batch: expected at least 1, found " + rows);
            }
        }

        @Override
        public List<List<Integer>> batches(int[] lengths, CounterRandom random) {
            List<Integer> order =
                    Arrays.stream(random.permutation(lengths.length)).boxed().toList();
            List<List<Integer>> batches = new ArrayList<>();
            for (int from = 0; from < order.size(); from += rows) {
                batches.add(order.subList(from, Math.min(order.size(), from + rows)));
            }
            return batches;
        }
    }

    /** {@link #tokens}. */
    record Tokens(int tokens) implements Batching {
        /** Rows are sorted by length among so many batches' worth of neighbours in the shuffled order, so that epochs still differ. */
        private static final int POOL = 32;

        /** Checks the number. */
        public Tokens {
            if (tokens < 1) {
                throw new IllegalArgumentException("tokens of a batch: expected at least 1, found " + tokens);
            }
        }

        @Override
        public List<List<Integer>> batches(int[] lengths, CounterRandom random) {
            List<Integer> order =
                    Arrays.stream(random.permutation(lengths.length)).boxed().toList();
            List<List<Integer>> batches = new ArrayList<>();
            List<Integer> pool = new ArrayList<>();
            long pooled = 0;
            for (int example : order) {
                pool.add(example);
                pooled += lengths[example];
                if (pooled >= (long) POOL * tokens) {
                    cut(pool, lengths, batches);
                    pool.clear();
                    pooled = 0;
                }
            }
            cut(pool, lengths, batches);
            return IntStream.of(random.permutation(batches.size()))
                    .mapToObj(batches::get)
                    .toList();
        }

        private void cut(List<Integer> pool, int[] lengths, List<List<Integer>> batches) {
            pool.sort(Comparator.comparingInt(example -> lengths[example]));
            List<Integer> batch = new ArrayList<>();
            int held = 0;
            for (int example : pool) {
                if (!batch.isEmpty() && held + lengths[example] > tokens) {
                    batches.add(List.copyOf(batch));
                    batch.clear();
                    held = 0;
                }
                batch.add(example);
                held += lengths[example];
            }
            if (!batch.isEmpty()) {
                batches.add(List.copyOf(batch));
            }
        }
    }
}
