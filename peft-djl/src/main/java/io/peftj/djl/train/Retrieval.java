package io.peftj.djl.train;

import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Looks every anchor's own positives up among all positives of the examples, by cosine. */
final class Retrieval {
    /** Anchors whose similarities are held at once. */
    private static final int CHUNK = 256;

    private final Predictor predictor;
    private final Relations relations;
    private final List<float[][]> vectors;
    private final double scale;
    /** Candidates, each text once: the first pair that has it. */
    private final List<Integer> candidates;

    private final Set<Integer> seenAnchors = new HashSet<>();
    private double loss;
    private final List<int[]> ranks = new ArrayList<>();

    /**
     * Looks up.
     *
     * @param vectors each pair's anchor and positive, of length 1
     * @param scale what cosines are multiplied with for the loss
     */
    Retrieval(Predictor predictor, List<Example> pairs, List<float[][]> vectors, double scale) {
        this.predictor = predictor;
        this.relations = Relations.of(pairs);
        this.vectors = vectors;
        this.scale = scale;
        Map<Integer, Integer> first = new LinkedHashMap<>();
        for (int pair = 0; pair < pairs.size(); pair++) {
            first.putIfAbsent(relations.positive(pair), pair);
        }
        this.candidates = List.copyOf(first.values());
    }

    /** The mean cross entropy over pairs, each against all negatives there are, and recall over anchors. */
    Evaluation evaluation(List<Integer> recallAt) {
        for (int from = 0; from < vectors.size(); from += CHUNK) {
            int to = Math.min(vectors.size(), from + CHUNK);
            float[] similarities = similarities(from, to);
            for (int pair = from; pair < to; pair++) {
                look(pair, similarities, (pair - from) * candidates.size());
            }
        }
        Map<Metric, Double> scores = new LinkedHashMap<>();
        for (int k : recallAt) {
            double sum = 0;
            for (int[] ofAnchor : ranks) {
                int found = 0;
                for (int rank : ofAnchor) {
                    found += rank <= k ? 1 : 0;
                }
                sum += (double) found / ofAnchor.length;
            }
            scores.put(Metric.recallAt(k), sum / ranks.size());
        }
        return new Evaluation(loss / vectors.size(), vectors.size(), scores);
    }

    /** Cosines of some anchors with all candidates [anchors, candidates]. */
    private float[] similarities(int from, int to) {
        return predictor.call(session -> {
            Tensor anchors = matrix(session, vectors.subList(from, to), 0);
            Tensor all = matrix(session, candidates.stream().map(vectors::get).toList(), 1);
            return anchors.matmul(all.transpose()).toHost().values();
        });
    }

    private static Tensor matrix(Session session, List<float[][]> pairs, int which) {
        int width = pairs.get(0)[which].length;
        float[] values = new float[pairs.size() * width];
        for (int i = 0; i < pairs.size(); i++) {
            System.arraycopy(pairs.get(i)[which], 0, values, i * width, width);
        }
        return session.tensor(HostTensor.of(Shape.of(pairs.size(), width), values));
    }

    /** Adds a pair's loss, and where its anchor is new the places of all that belongs to it. */
    private void look(int pair, float[] similarities, int begin) {
        List<Integer> own = new ArrayList<>();
        double greatest = Double.NEGATIVE_INFINITY;
        int positive = -1;
        for (int c = 0; c < candidates.size(); c++) {
            int text = relations.positive(candidates.get(c));
            if (relations.isPositive(pair, text)) {
                own.add(c);
            }
            positive = text == relations.positive(pair) ? c : positive;
            greatest = Math.max(greatest, similarities[begin + c]);
        }
        double others = 0;
        for (int c = 0; c < candidates.size(); c++) {
            if (relations.isNegative(pair, relations.positive(candidates.get(c)))) {
                others += Math.exp(scale * (similarities[begin + c] - greatest));
            }
        }
        double score = scale * (similarities[begin + positive] - greatest);
        loss += Math.log(others + Math.exp(score)) - score;
        if (seenAnchors.add(relations.anchor(pair))) {
            ranks.add(own.stream()
                    .mapToInt(c -> rank(pair, c, similarities, begin))
                    .toArray());
        }
    }

    /** A candidate's place by falling similarity, from 1. What is as similar and does not belong to the anchor comes before it: no luck counts. */
    private int rank(int pair, int candidate, float[] similarities, int begin) {
        int rank = 1;
        float own = similarities[begin + candidate];
        for (int c = 0; c < candidates.size(); c++) {
            float other = similarities[begin + c];
            int text = relations.positive(candidates.get(c));
            if (relations.isNegative(pair, text)) {
                rank += other >= own ? 1 : 0;
            } else if (relations.isPositive(pair, text) && c != candidate) {
                rank += other > own || (other == own && c < candidate) ? 1 : 0;
            }
        }
        return rank;
    }
}
