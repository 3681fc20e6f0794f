package io.peftj.djl.train;

import io.peftj.core.adapter.Pooling;
import io.peftj.core.run.Run;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Loss;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import io.peftj.djl.backbone.Backbone;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Each pair's anchor should be nearer to its own positive than to those of the other pairs with the same adapters: cross entropy over scaled cosines.
 *
 * @param pooling how a row's states become one vector
 * @param scale what cosines are multiplied with
 * @param recallAt how many of the most similar texts evaluations look among
 */
record InBatchNegatives(Pooling pooling, double scale, List<Integer> recallAt) implements Objective {
    /** Added to the mean square of a vector before it is divided by: keeps a vector of zeros finite, and is nothing beside any other. */
    private static final double EPS = 1e-12;

    /** A score that leaves nothing of a candidate's probability, beside any scaled cosine. */
    private static final float NEVER = -1e9f;

    @Override
    public boolean isRowWise() {
        return false;
    }

    @Override
    public Loss loss(Backbone base, Run run, List<Example> examples, List<Float> weights) {
        Tensor vectors = units(base, run);
        List<Integer> rowOf = run.batch().inCallersOrder(range(0, 2 * examples.size()));
        List<Tensor> sums = new ArrayList<>();
        List<Tensor> rows = new ArrayList<>();
        for (int g = 0; g < run.batch().groups().size(); g++) {
            int begin = run.batch().rowPlaces().offset(g);
            int end = run.batch().rowPlaces().offset(g + 1);
            List<Integer> pairs = range(0, examples.size()).stream()
                    .filter(pair -> rowOf.get(2 * pair) >= begin && rowOf.get(2 * pair) < end)
                    .toList();
            Loss loss = loss(
                    gather(
                            vectors,
                            pairs.stream().map(pair -> rowOf.get(2 * pair)).toList()),
                    gather(
                            vectors,
                            pairs.stream().map(pair -> rowOf.get(2 * pair + 1)).toList()),
                    mask(pairs.stream().map(examples::get).toList()),
                    pairs.stream().map(weights::get).toList(),
                    scale);
            sums.add(loss.sum());
            rows.add(loss.perRow());
        }
        return new Loss(run.session().sum(sums), Tensor.concat(rows, 0));
    }

    /**
     * Cross entropy over cosines.
     *
     * @param anchors of length 1 [pairs, width]
     * @param positives likewise
     * @param mask added to the scores [pairs, pairs]; null for nothing
     */
    static Loss loss(Tensor anchors, Tensor positives, @Nullable HostTensor mask, List<Float> weights, double scale) {
        Session session = anchors.session();
        Tensor scores = anchors.matmul(positives.transpose()).affine(scale, 0);
        if (mask != null) {
            scores = scores.plus(session.tensor(mask, scores.dtype()));
        }
        return scores.crossEntropy(
                session.index(LongStream.range(0, weights.size()).toArray()),
                session.tensor(HostTensor.vector(weights), scores.dtype()));
    }

    /** Vectors [rows, width] divided by their Euclidean length. */
    static Tensor unit(Tensor vectors) {
        // x / |x| is x / √(mean of x²) / √width.
        return vectors.rmsNorm(null, EPS).affine(1 / Math.sqrt(vectors.shape().dim(1)), 0);
    }

    /** The rows' vectors in the batch's order [rows, width]. */
    private Tensor units(Backbone base, Run run) {
        return unit(base.outputs().pool(run, base.transformer().hiddenStates(run), pooling));
    }

    /** What keeps an anchor from candidates that are no negatives of it; null where there are none. */
    private static @Nullable HostTensor mask(List<Example> pairs) {
        int n = pairs.size();
        Relations relations = Relations.of(pairs);
        float[] mask = new float[n * n];
        boolean any = false;
        for (int anchor = 0; anchor < n; anchor++) {
            for (int candidate = 0; candidate < n; candidate++) {
                if (candidate != anchor && !relations.isNegative(anchor, relations.positive(candidate))) {
                    mask[anchor * n + candidate] = NEVER;
                    any = true;
                }
            }
        }
        return any ? HostTensor.of(Shape.of(n, n), mask) : null;
    }

    @Override
    public List<Metric> metrics() {
        return recallAt.stream().map(Metric::recallAt).toList();
    }

    @Override
    public Evaluation evaluate(Predictor predictor, List<Example> examples) {
        List<float[][]> vectors = predictor.each(examples, (run, some) -> {
            Tensor units = units(predictor.base(), run);
            int width = units.shape().dim(1);
            float[] values = units.toHost().values();
            List<float[]> ofRows = run.batch()
                    .inCallersOrder(IntStream.range(0, 2 * some.size())
                            .mapToObj(row -> Arrays.copyOfRange(values, row * width, (row + 1) * width))
                            .toList());
            return range(0, some.size()).stream()
                    .map(pair -> new float[][] {ofRows.get(2 * pair), ofRows.get(2 * pair + 1)})
                    .toList();
        });
        return new Retrieval(predictor, examples, vectors, scale).evaluation(recallAt);
    }

    private static Tensor gather(Tensor vectors, List<Integer> rows) {
        return vectors.gather(vectors.session()
                .index(rows.stream().mapToLong(Integer::longValue).toArray()));
    }

    private static List<Integer> range(int from, int to) {
        return IntStream.range(from, to).boxed().toList();
    }
}
