package io.peftj.djl.train.report;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/**
 * Consecutive steps: of each quantity the least, the greatest and the mean.
 *
 * @param first the number of the first step
 * @param last the number of the last one
 */
record Bucket(long first, long last, Map<Quantity, Stat> stats) {
    Bucket {
        stats = Collections.unmodifiableMap(new EnumMap<>(stats));
    }

    /** Of a quantity; none where the system does not tell it. */
    Stat stat(Quantity quantity) {
        return stats.getOrDefault(quantity, Stat.NONE);
    }

    /** Where it is drawn. */
    double middle() {
        return (first + last) / 2.0;
    }

    Bucket and(Bucket next) {
        Map<Quantity, Stat> both = new EnumMap<>(stats);
        next.stats.forEach((quantity, stat) -> both.merge(quantity, stat, Stat::and));
        return new Bucket(first, next.last, both);
    }
}
