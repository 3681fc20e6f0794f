package io.peftj.testkit.operation;

import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.Dropout;
import io.peftj.core.tensor.Index;
import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Session;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** Segments and dropouts that the cases share. */
final class Slots {
    private Slots() {}

    /** Three equal segments of nine places, each with a slot of its own. */
    static Segments equal(Session session) {
        return Segments.of(session, 0, 3, 6, 9);
    }

    /** Nine places: ragged, one segment empty, one without a slot, two with the same, and of four slots one that nobody uses. */
    static Segments ragged(Session session) {
        return Segments.of(session, new int[] {0, 2, 2, 3, 7, 9}, new int[] {2, 1, Segments.NONE, 0, 2}, 4);
    }

    /** One segment that covers all. */
    static Segments one(Session session, int places) {
        return Segments.of(session, 0, places);
    }

    /** A different probability for each token, none for some. */
    static Dropout dropout(Session session, int tokens) {
        Index keys = session.index(LongStream.range(0, tokens)
                .map(token -> CounterRandom.key(7, token))
                .toArray());
        Index thresholds = session.index(IntStream.range(0, tokens)
                .mapToLong(token -> token % 3 == 0 ? 0 : Dropout.threshold(0.2 * (token % 3)))
                .toArray());
        return new Dropout(keys, thresholds, 42);
    }
}
