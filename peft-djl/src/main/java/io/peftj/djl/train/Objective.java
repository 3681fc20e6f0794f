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

/** What makes an answer wrong, as a number to differentiate. */
public sealed interface Objective {
    /**
     * The weighted sum of the negative log-likelihoods of what a batch's rows should give.
     *
     * @param examples the batch's rows in the batch's order
     * @param weights what each of a row's learnt things counts, in the same order
     */
    Loss loss(Backbone base, Run run, List<Example> examples, List<Float> weights);

    /** The class of each row. */
    record Classification(HeadSpec head) implements Objective {
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
                        session.index(labels), tensor(session, weights.subList(from, to), logits.dtype()));
                sums.add(loss.sum());
                rows.add(loss.perRow());
                from = to;
            }
            return new Loss(session.sum(sums), Tensor.concat(rows, 0));
        }
    }

    /** The tokens of each row's answer, each from the ones before it. */
    record NextToken() implements Objective {
        @Override
        public Loss loss(Backbone base, Run run, List<Example> examples, List<Float> weights) {
            Session session = run.session();
            Batch batch = run.batch();
            int count = examples.stream().mapToInt(Example::learnt).sum();
            int[] tokens = new int[count];
            long[] labels = new long[count];
            List<Float> each = new ArrayList<>(count);
            int n = 0;
            for (int r = 0; r < examples.size(); r++) {
                Example example = examples.get(r);
                for (int t = example.answer(); t < example.length(); t++) {
                    tokens[n] = batch.layout().begin(r) + t - 1;
                    labels[n] = example.id(t);
                    each.add(weights.get(r));
                    n++;
                }
            }
            Tensor hidden = base.transformer().hiddenStates(run);
            Index places = session.index(Arrays.stream(tokens).asLongStream().toArray());
            Tensor states = hidden.gather(places);
            return base.outputs()
                    .nextTokenLoss(run, states, tokens, session.index(labels), tensor(session, each, DType.F32));
        }
    }

    private static Tensor tensor(Session session, List<Float> values, DType dtype) {
        float[] array = new float[values.size()];
        for (int i = 0; i < array.length; i++) {
            array[i] = values.get(i);
        }
        return session.tensor(HostTensor.of(Shape.of(array.length), array), dtype);
    }
}
