package io.peftj.djl.train;

import io.peftj.core.PeftException;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What makes an answer wrong, as a number to differentiate. */
public sealed interface Objective permits Objective.Classification, Objective.NextToken, InBatchNegatives {
    /** What an example counts in the mean over a step: the things it learns, each with its weight. */
    default double count(Example example) {
        return example.learnt();
    }

    /**
     * The weighted sum of the losses of what a batch's rows should give.
     *
     * @param examples those whose rows the batch was made of, in their order
     * @param weights 1 / (what the examples with the same adapters {@linkplain #count count} in the whole step), in the same order
     */
    Loss loss(Backbone base, Run run, List<Example> examples, List<Float> weights);

    /** Whether an example's loss depends on no other of the batch, so that a step can be computed in parts. */
    default boolean isRowWise() {
        return true;
    }

    /** What evaluations tell besides the loss, what the task is usually judged by first. */
    List<Metric> metrics();

    /** How well examples are predicted, without learning from them. */
    Evaluation evaluate(Predictor predictor, List<Example> examples);

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
            List<Example> inBatch = run.batch().sorted(examples);
            List<Float> weightsInBatch = run.batch().sorted(weights);
            List<Tensor> sums = new ArrayList<>();
            List<Tensor> rows = new ArrayList<>();
            int from = 0;
            for (Tensor logits : base.outputs().classLogits(run, hidden, head)) {
                int to = from + logits.shape().dim(0);
                long[] labels = inBatch.subList(from, to).stream()
                        .mapToLong(Example::label)
                        .toArray();
                Loss loss = logits.crossEntropy(
                        session.index(labels),
                        session.tensor(HostTensor.vector(weightsInBatch.subList(from, to)), logits.dtype()),
                        labelSmoothing,
                        classWeights.isEmpty()
                                ? null
                                : session.tensor(HostTensor.vector(classWeights), logits.dtype()));
                sums.add(loss.sum());
                rows.add(loss.perRow());
                from = to;
            }
            return new Loss(session.sum(sums), Tensor.concat(rows, 0));
        }

        @Override
        public List<Metric> metrics() {
            return List.of(Metric.ACCURACY, Metric.MACRO_F1);
        }

        @Override
        public Evaluation evaluate(Predictor predictor, List<Example> examples) {
            return evaluation(examples, logProbabilities(predictor, examples));
        }

        /** The logarithm of each class's probability, for each example. */
        public List<double[]> logProbabilities(Predictor predictor, List<Example> examples) {
            return predictor.each(
                    examples, (run, some) -> run.batch().inCallersOrder(logProbabilities(predictor.base(), run)));
        }

        /** What {@link #logProbabilities} are worth. */
        public static Evaluation evaluation(List<Example> examples, List<double[]> logProbabilities) {
            List<Integer> labels = examples.stream().map(Example::label).toList();
            List<Integer> found =
                    logProbabilities.stream().map(Softmax::greatest).toList();
            double loss = 0;
            for (int row = 0; row < labels.size(); row++) {
                loss -= logProbabilities.get(row)[labels.get(row)];
            }
            Map<Metric, Double> scores = new LinkedHashMap<>();
            scores.put(Metric.ACCURACY, Scores.accuracy(labels, found));
            scores.put(Metric.MACRO_F1, Scores.macroF1(labels, found));
            return new Evaluation(loss / labels.size(), labels.size(), scores);
        }

        /** Of each row in the batch's order. */
        private List<double[]> logProbabilities(Backbone base, Run run) {
            Tensor hidden = base.transformer().hiddenStates(run);
            List<double[]> rows = new ArrayList<>();
            for (Tensor logits : base.outputs().classLogits(run, hidden, head)) {
                int classes = logits.shape().dim(1);
                float[] values = logits.toHost().values();
                for (int from = 0; from < values.length; from += classes) {
                    rows.add(Softmax.log(Arrays.copyOfRange(values, from, from + classes)));
                }
            }
            return rows;
        }
    }

    /**
     * The tokens of each row's answer, each from the ones before it. Where virtual tokens stand before a row, its first token is learnt from these; evaluations
     * leave it out.
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
            Learnt learnt = Learnt.of(run.batch(), examples, 0);
            List<Float> each =
                    Arrays.stream(learnt.examples()).mapToObj(weights::get).toList();
            return loss(base, run, learnt, session.tensor(HostTensor.vector(each)), labelSmoothing);
        }

        @Override
        public List<Metric> metrics() {
            return List.of(Metric.PERPLEXITY);
        }

        @Override
        public Evaluation evaluate(Predictor predictor, List<Example> examples) {
            return evaluation(examples, losses(predictor, examples));
        }

        /** What {@link #losses} come to. */
        public static Evaluation evaluation(List<Example> examples, List<Double> losses) {
            double sum = losses.stream().mapToDouble(Double::doubleValue).sum();
            long learnt = examples.stream().mapToLong(Example::measured).sum();
            double loss = sum / learnt;
            return new Evaluation(loss, learnt, Map.of(Metric.PERPLEXITY, Math.exp(loss)));
        }

        /** The negative log-likelihood of all that each example learns, its row's first token left out. */
        public static List<Double> losses(Predictor predictor, List<Example> examples) {
            return predictor.each(examples, (run, some) -> losses(predictor.base(), run, some));
        }

        private static List<Double> losses(Backbone base, Run run, List<Example> examples) {
            Learnt learnt = Learnt.of(run.batch(), examples, 1);
            double[] losses = new double[examples.size()];
            if (learnt.tokens().length > 0) {
                Tensor weights = run.session().zeros(Shape.of(learnt.tokens().length), DType.F32);
                double[] each = loss(base, run, learnt, weights, 0).perRow().toDoubles();
                for (int i = 0; i < each.length; i++) {
                    losses[learnt.examples()[i]] += each[i];
                }
            }
            return Arrays.stream(losses).boxed().toList();
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
         * @param examples whose each is, by number
         */
        @SuppressWarnings("ArrayRecordComponent") // used here alone, never compared
        private record Learnt(int[] tokens, long[] labels, int[] examples) {
            /** @param first the first token of rows that counts: 0 or 1 */
            static Learnt of(Batch batch, List<Example> examples, int first) {
                int count = examples.stream()
                        .mapToInt(first == 0 ? Example::learnt : Example::measured)
                        .sum();
                Learnt learnt = new Learnt(new int[count], new long[count], new int[count]);
                int n = 0;
                for (int r = 0; r < examples.size(); r++) {
                    Example example = examples.get(batch.callersRow(r));
                    if (first == 0 && example.isLearnt(0) && batch.rows().get(r).virtualTokens() == 0) {
                        throw new PeftException("example " + example.number() + " learns the first token of its row,"
                                + " which has nothing before it; begin with the second, or use an adapter with"
                                + " virtual tokens");
                    }
                    for (int t = first; t < example.length(); t++) {
                        if (example.isLearnt(t)) {
                            learnt.tokens[n] = batch.firstToken(r) + t - 1;
                            learnt.labels[n] = example.id(t);
                            learnt.examples[n] = batch.callersRow(r);
                            n++;
                        }
                    }
                }
                return learnt;
            }
        }
    }
}
