package io.peftj.djl.train;

import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.run.Batch;
import io.peftj.core.run.Run;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Index;
import io.peftj.core.tensor.Loss;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import io.peftj.djl.backbone.Backbone;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What makes an answer wrong, as a number to differentiate. */
public sealed interface Objective {
    /** What an example counts in the mean over a step: the things it learns, each with its weight. */
    default double count(Example example) {
        return example.learnt();
    }

    /**
     * The weighted sum of the losses of what a batch's rows should give.
     *
     * @param examples the batch's rows in the batch's order
     * @param weights 1 / (what the rows with the same adapters {@linkplain #count count} in the whole step), in the same order
     */
    Loss loss(Backbone base, Run run, List<Example> examples, List<Float> weights);

    /** Whether a row's loss depends on no other row of the batch, so that a batch can be computed in parts. */
    default boolean isRowWise() {
        return true;
    }

    /**
     * How well each of a batch's rows is predicted, without learning from them.
     *
     * @param examples the batch's rows in the batch's order
     */
    List<Measure> measure(Backbone base, Run run, List<Example> examples);

    /**
     * How well a row is predicted.
     *
     * @param loss the negative log-likelihood of all it learns
     * @param right whether the likeliest class is its own; null for text
     */
    record Measure(double loss, @Nullable Boolean right) {}

    /**
     * The class of each row.
     *
     * @param labelSmoothing the share of a label that all classes have alike
     * @param classWeights how much each class counts; empty for alike
     */
    record Classification(HeadSpec head, double labelSmoothing, List<Double> classWeights) implements Objective {
        /** Keeps a copy. */
        public Classification {
            classWeights = List.copyOf(classWeights);
        }

        /** Plain labels, and classes that count alike. */
        public Classification(HeadSpec head) {
            this(head, 0, List.of());
        }

        @Override
        public double count(Example example) {
            return classWeights.isEmpty() ? 1 : classWeights.get(example.label());
        }

        @Override
        public Loss loss(Backbone base, Run run, List<Example> examples, List<Float> weights) {
            Session session = run.session();
            Tensor hidden = base.transformer().hiddenStates(run);
            List<Tensor> sums = new ArrayList<>();
            List<Tensor> rows = new ArrayList<>();
            int from = 0;
            for (Tensor logits : base.outputs().classLogits(run, hidden, head)) {
                int to = from + logits.shape().dim(0);
                long[] labels = examples.subList(from, to).stream()
                        .mapToLong(Example::label)
                        .toArray();
                Loss loss = logits.crossEntropy(
                        session.index(labels),
                        session.tensor(host(weights.subList(from, to)), logits.dtype()),
                        labelSmoothing,
                        classWeights.isEmpty() ? null : session.tensor(host(classWeights), logits.dtype()));
                sums.add(loss.sum());
                rows.add(loss.perRow());
                from = to;
            }
            return new Loss(session.sum(sums), Tensor.concat(rows, 0));
        }

        @Override
        public List<Measure> measure(Backbone base, Run run, List<Example> examples) {
            Tensor hidden = base.transformer().hiddenStates(run);
            List<Measure> measures = new ArrayList<>();
            for (Tensor logits : base.outputs().classLogits(run, hidden, head)) {
                int classes = logits.shape().dim(1);
                float[] values = logits.toHost().values();
                for (int from = 0; from < values.length; from += classes) {
                    double[] logProbabilities = Softmax.log(Arrays.copyOfRange(values, from, from + classes));
                    int label = examples.get(measures.size()).label();
                    measures.add(new Measure(-logProbabilities[label], Softmax.greatest(logProbabilities) == label));
                }
            }
            return measures;
        }
    }

    /**
     * The tokens of each row's answer, each from the ones before it.
     *
     * @param labelSmoothing the share of a label that all tokens have alike
     */
    record NextToken(double labelSmoothing) implements Objective {
        /** Plain labels. */
        public NextToken() {
            this(0);
        }

        @Override
        public Loss loss(Backbone base, Run run, List<Example> examples, List<Float> weights) {
            Session session = run.session();
            Learnt learnt = Learnt.of(run.batch(), examples);
            List<Float> each =
                    Arrays.stream(learnt.rows()).mapToObj(weights::get).toList();
            return loss(base, run, learnt, session.tensor(host(each)), labelSmoothing);
        }

        @Override
        public List<Measure> measure(Backbone base, Run run, List<Example> examples) {
            Learnt learnt = Learnt.of(run.batch(), examples);
            double[] losses = new double[examples.size()];
            if (learnt.tokens().length > 0) {
                Tensor weights = run.session().zeros(Shape.of(learnt.tokens().length), DType.F32);
                double[] each = loss(base, run, learnt, weights, 0).perRow().toDoubles();
                for (int i = 0; i < each.length; i++) {
                    losses[learnt.rows()[i]] += each[i];
                }
            }
            return Arrays.stream(losses)
                    .mapToObj(loss -> new Measure(loss, null))
                    .toList();
        }

        private static Loss loss(Backbone base, Run run, Learnt learnt, Tensor weights, double smoothing) {
            Session session = run.session();
            Tensor hidden = base.transformer().hiddenStates(run);
            Index places =
                    session.index(Arrays.stream(learnt.tokens()).asLongStream().toArray());
            return base.outputs()
                    .nextTokenLoss(
                            run,
                            hidden.gather(places),
                            learnt.tokens(),
                            session.index(learnt.labels()),
                            weights,
                            smoothing);
        }

        /**
         * The tokens that predict what is learnt.
         *
         * @param tokens their numbers in the batch, rising
         * @param labels what each should predict
         * @param rows the row of each
         */
        @SuppressWarnings("ArrayRecordComponent") // used here alone, never compared
        private record Learnt(int[] tokens, long[] labels, int[] rows) {
            static Learnt of(Batch batch, List<Example> examples) {
                int count = examples.stream().mapToInt(Example::learnt).sum();
                Learnt learnt = new Learnt(new int[count], new long[count], new int[count]);
                int n = 0;
                for (int r = 0; r < examples.size(); r++) {
                    Example example = examples.get(r);
                    for (int t = example.answer(); t < example.length(); t++) {
                        learnt.tokens[n] = batch.layout().begin(r) + t - 1;
                        learnt.labels[n] = example.id(t);
                        learnt.rows[n] = r;
                        n++;
                    }
                }
                return learnt;
            }
        }
    }

    private static HostTensor host(List<? extends Number> values) {
        float[] array = new float[values.size()];
        for (int i = 0; i < array.length; i++) {
            array[i] = values.get(i).floatValue();
        }
        return HostTensor.of(Shape.of(array.length), array);
    }
}
