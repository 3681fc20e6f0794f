package io.peftj.djl.train;

import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Which texts of some pairs are known to belong together. Texts have numbers, equal ones the same. */
final class Relations {
    private final List<Integer> anchors = new ArrayList<>();
    private final List<Integer> positives = new ArrayList<>();
    private final Map<Integer, Set<Integer>> positivesOf = new HashMap<>();

    private Relations() {}

    static Relations of(List<Example> pairs) {
        Relations relations = new Relations();
        Map<IntBuffer, Integer> numbers = new HashMap<>();
        for (Example pair : pairs) {
            int anchor = numbers.computeIfAbsent(IntBuffer.wrap(pair.anchor()), key -> numbers.size());
            int positive = numbers.computeIfAbsent(IntBuffer.wrap(pair.positive()), key -> numbers.size());
            relations.anchors.add(anchor);
            relations.positives.add(positive);
            relations
                    .positivesOf
                    .computeIfAbsent(anchor, key -> new HashSet<>())
                    .add(positive);
        }
        return relations;
    }

    /** The text that is a pair's anchor. */
    int anchor(int pair) {
        return anchors.get(pair);
    }

    /** The text that is a pair's positive. */
    int positive(int pair) {
        return positives.get(pair);
    }

    /** Whether a text belongs to a pair's anchor. */
    boolean isPositive(int pair, int text) {
        return positivesOf.getOrDefault(anchor(pair), Set.of()).contains(text);
    }

    /** Whether a text is to be farther from a pair's anchor than what belongs to it; the anchor's own text is neither. */
    boolean isNegative(int pair, int text) {
        return text != anchor(pair) && !isPositive(pair, text);
    }
}
