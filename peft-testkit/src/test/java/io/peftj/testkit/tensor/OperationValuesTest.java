package io.peftj.testkit.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.tensor.Activation;
import io.peftj.core.tensor.AttentionPrefix;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Dropout;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Index;
import io.peftj.core.tensor.Kernels.Reduction;
import io.peftj.core.tensor.Layout;
import io.peftj.core.tensor.Loss;
import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tape;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Results computed by hand or known in closed form. */
class OperationValuesTest extends ReferenceSession {
    private static void assertValues(Tensor found, double... expected) {
        assertThat(found.toDoubles()).containsExactly(expected, within(1e-12));
    }

    @Test
    void structure() {
        Tensor x = matrix(2, 1, 2, 3, 4, 5, 6);
        assertValues(x.transpose(), 1, 4, 2, 5, 3, 6);
        assertThat(x.transpose().shape()).isEqualTo(Shape.of(3, 2));
        assertValues(x.slice(1, 1, 3), 2, 3, 5, 6);
        assertValues(x.slice(0, 1, 2), 4, 5, 6);
        assertValues(Tensor.concat(List.of(x, x.affine(10, 0)), -1), 1, 2, 3, 10, 20, 30, 4, 5, 6, 40, 50, 60);
        assertValues(x.split(1, 2, 1).get(0), 1, 2, 4, 5);
        assertValues(x.split(1, 2, 1).get(1), 3, 6);
        // [2, 3, 1] to [3, 1, 2]
        assertValues(x.reshape(2, 3, 1).permute(1, 2, 0), 1, 4, 2, 5, 3, 6);
        assertThat(Tensor.concat(List.of(x), 0)).isSameAs(x);
        assertThat(x.cast(DType.F64)).isSameAs(x);
    }

    @Test
    void indexing() {
        Tensor x = matrix(3, 1, 2, 3, 4, 5, 6);
        assertValues(x.gather(session.index(2, 0, 2)), 5, 6, 1, 2, 5, 6);
        assertValues(x.scatterAdd(session.index(1, 0, 1), 3), 3, 4, 6, 8, 0, 0);
        assertValues(x.addAt(session.index(2, 0), matrix(2, 10, 20, 30, 40)), 31, 42, 3, 4, 15, 26);
        assertValues(x, 1, 2, 3, 4, 5, 6);
    }

    @Test
    void segments() {
        Segments segments = Segments.of(session, new int[] {0, 2, 2, 3}, new int[] {1, 0, Segments.NONE}, 2);
        Tensor x = matrix(3, 1, 8, 3, 4, 5, 6);
        assertValues(x.segmentReduce(segments, Reduction.SUM), 4, 12, 0, 0, 5, 6);
        assertValues(x.segmentReduce(segments, Reduction.MEAN), 2, 6, 0, 0, 5, 6);
        assertValues(x.segmentReduce(segments, Reduction.MAX), 3, 8, 0, 0, 5, 6);
        assertValues(matrix(2, 1, 2, 3, 4).repeat(segments, 9), 3, 4, 3, 4, 9, 9);
        assertValues(vector(Math.log(1), Math.log(3), Math.log(7)).segmentSoftmax(segments), 0.25, 0.75, 1);
    }

    @Test
    void tiesOfAMaximumShareTheGradient() {
        try (Tape tape = session.startTape()) {
            Tensor x = tape.leaf(matrix(2, 3, 3, 1, 2, 5, 5));
            Segments rows = Segments.of(session, 0, 1, 2);
            tape.backward(x.max(1)
                    .plus(x.reshape(2, 3).segmentReduce(rows, Reduction.MAX).sum(1))
                    .sum(0));
            assertValues(tape.gradient(x), 1.5, 1.5, 1, 1, 1.5, 1.5);
        }
    }

    @Test
    void arithmetic() {
        Tensor x = matrix(2, 1, 2, 3, 4);
        assertValues(x.plus(vector(10, 20)), 11, 22, 13, 24);
        assertValues(x.minus(matrix(2, 1, 2)), 0, 1, 1, 2);
        assertValues(vector(12).dividedBy(x), 12, 6, 4, 3);
        assertValues(session.tensor(new double[] {2}, Shape.SCALAR).times(x), 2, 4, 6, 8);
        assertValues(x.affine(-2, 1), -1, -3, -5, -7);
        assertValues(vector(0, 1).exp(), 1, Math.E);
        assertValues(vector(1, Math.E).log(), 0, 1);
        assertValues(vector(4, 2.25).sqrt(), 2, 1.5);
        assertValues(vector(-4, 2.25).abs(), 4, 2.25);
        assertValues(vector(0, Math.log(3), 800, -800).sigmoid(), 0.5, 0.75, 1, 0);
        assertValues(session.sum(List.of(vector(1), vector(2), vector(3))), 6);
    }

    /** GELU by tables of the normal distribution: Φ(1) = 0.841344746068543, Φ(−2) = 0.022750131948179, Φ(−6) = 9.865876450377e−10. */
    @Test
    void activations() {
        Tensor x = vector(1, -2, 0, -6);
        assertValues(x.activation(Activation.GELU), 0.841344746068543, -0.045500263896358, 0, -6 * 9.865876450377e-10);
        double tanh = Math.tanh(Math.sqrt(2 / Math.PI) * 1.044715);
        assertValues(vector(1).activation(Activation.GELU_TANH), 0.5 * (1 + tanh));
        assertValues(vector(Math.log(3)).activation(Activation.SILU), 0.75 * Math.log(3));
        assertValues(x.activation(Activation.RELU), 1, 0, 0, 0);
        assertValues(vector(0.5 * Math.log(3)).activation(Activation.TANH), 0.5);
        assertValues(x.gatedActivation(vector(3, 4, 5, 6), Activation.RELU), 3, 0, 0, 0);
    }

    @Test
    void derivativesAtAKinkAreZero() {
        try (Tape tape = session.startTape()) {
            Tensor x = tape.leaf(vector(0, -1, 2));
            tape.backward(x.abs().plus(x.activation(Activation.RELU)).sum(0));
            assertValues(tape.gradient(x), 0, -1, 2);
        }
    }

    @Test
    void dropoutKeepsTheMeanAndDropsByKey() {
        int features = 4000;
        Dropout dropout = new Dropout(session.index(3, 4, 3), session.index(0, 16384, 32768), 77);
        Tensor ones = zeros(3, features).affine(0, 1);
        double[] y = ones.dropout(dropout).toDoubles();
        for (int feature = 0; feature < features; feature++) {
            assertThat(y[feature]).isEqualTo(1);
            boolean droppedOne = CounterRandom.draw16(4, 77, feature) < 16384;
            assertThat(y[features + feature]).isEqualTo(droppedOne ? 0 : 65536.0 / 49152);
            boolean droppedTwo = CounterRandom.draw16(3, 77, feature) < 32768;
            assertThat(y[2 * features + feature]).isEqualTo(droppedTwo ? 0 : 2);
        }
        assertThat(ones.dropout(dropout).mean(1).toDoubles()).containsExactly(new double[] {1, 1, 1}, within(0.06));
        assertThat(Dropout.threshold(0.25)).isEqualTo(16384);
        assertThat(Dropout.threshold(0)).isZero();
        assertThat(Dropout.threshold(0.9999999)).isEqualTo(65535);
    }

    @Test
    void theLargestOfEachRowIsTheFirstOfSeveral() {
        assertThat(matrix(3, 1, 3, 3, 5, -1, 5, 2, Double.NaN, 7).largest()).containsExactly(1, 3, 0, 5, 1, Double.NaN);
    }

    @Test
    void reductions() {
        Tensor x = matrix(2, 1, 2, 3, 4, 5, 9);
        assertValues(x.sum(0), 5, 7, 12);
        assertValues(x.sum(-1), 6, 18);
        assertValues(x.mean(1), 2, 6);
        assertValues(x.max(0), 4, 5, 9);
        assertValues(x.sumTo(Shape.of(2, 1)), 6, 18);
        assertValues(x.sumTo(Shape.SCALAR), 24);
        assertValues(matrix(2, 0, Math.log(3), 1000, 1000).softmax(), 0.25, 0.75, 0.5, 0.5);
    }

    @Test
    void products() {
        Tensor x = matrix(2, 1, 2, 3, 4);
        Tensor p = matrix(3, 1, 0, 0, 1, 1, -1);
        assertValues(x.linear(p), 1, 2, -1, 3, 4, -1);
        assertValues(x.matmul(matrix(2, 5, 6, 7, 8)), 19, 22, 43, 50);
        Weight weight = backend.weight(HostTensor.of(Shape.of(3, 2), 1, 0, 0, 1, 1, -1), DType.F64);
        assertValues(x.linear(weight, vector(10, 20, 30)), 11, 22, 29, 13, 24, 29);
        assertValues(Tensor.rows(session, weight, session.index(2, 0)), 1, -1, 1, 0);
        backend.free(weight);

        Segments segments = Segments.of(session, new int[] {0, 1, 2}, new int[] {Segments.NONE, 1}, 2);
        Tensor stack = session.tensor(new double[] {9, 9, 2, 3}, Shape.of(2, 1, 2));
        assertValues(x.linear(stack, segments), 0, 18);
        // B·A = (2, 4)ᵀ·(1, −1) for the second token
        Tensor a = session.tensor(new double[] {9, 9, 1, -1}, Shape.of(2, 1, 2));
        Tensor b = session.tensor(new double[] {9, 9, 2, 4}, Shape.of(2, 2, 1));
        assertValues(x.lowRankDelta(a, b, segments, null), 0, 0, -2, -4);
    }

    @Test
    void norms() {
        Tensor x = matrix(1, 3, -4);
        double rms = Math.sqrt(12.5 + 0.25);
        assertValues(x.rmsNorm(vector(1, 2), 0.25), 3 / rms, -8 / rms);
        double deviation = Math.sqrt(12.25 + 0.25);
        assertValues(x.layerNorm(vector(1, 2), vector(10, 20), 0.25), 10 + 3.5 / deviation, 20 - 7 / deviation);
    }

    @Test
    void rotaryTurnsPairsOfHalves() {
        Tensor x = session.tensor(new double[] {1, 2, 0, 5}, Shape.of(1, 1, 4));
        Tensor cos = matrix(1, 0, 0.6);
        Tensor sin = matrix(1, 1, 0.8);
        // (1, 0) turned by 90°; (2, 5) by the angle of the triangle 3-4-5
        assertValues(x.rotary(cos, sin), 0, 2 * 0.6 - 5 * 0.8, 1, 5 * 0.6 + 2 * 0.8);
    }

    @Test
    void attentionWeighsValuesBySoftmaxOfScores() {
        Layout layout = Layout.of(session, 2, 1);
        Tensor q = session.tensor(new double[] {1, 1, 1}, Shape.of(3, 1, 1));
        Tensor k = session.tensor(new double[] {0, Math.log(3), 5}, Shape.of(3, 1, 1));
        Tensor v = session.tensor(new double[] {4, 8, 6}, Shape.of(3, 1, 1));
        assertValues(q.attention(k, v, layout, false, 1, List.of()), 7, 7, 6);
        assertValues(q.attention(k, v, layout, true, 1, List.of()), 4, 7, 6);
        double root = Math.sqrt(3);
        assertValues(q.attention(k, v, layout, true, 0.5, List.of()), 4, (4 + 8 * root) / (1 + root), 6);
        // A prefix of weight 4 and value 10 for the first row.
        AttentionPrefix prefix = new AttentionPrefix(
                0,
                2,
                session.tensor(new double[] {Math.log(4)}, Shape.of(1, 1, 1)),
                session.tensor(new double[] {10}, Shape.of(1, 1, 1)));
        assertValues(q.attention(k, v, layout, true, 1, List.of(prefix)), (4 + 40) / 5.0, (4 + 24 + 40) / 8.0, 6);
    }

    @Test
    void queryHeadsShareKeysInOrder() {
        Layout layout = Layout.of(session, 1);
        Tensor q = zeros(1, 4, 1);
        Tensor kv = session.tensor(new double[] {5, 7}, Shape.of(1, 2, 1));
        assertValues(q.attention(kv, kv, layout, true, 1, List.of()), 5, 5, 7, 7);
    }

    @Test
    void crossEntropies() {
        Tensor logits = matrix(2, 0, Math.log(3), 1000, 1000);
        Loss loss = logits.crossEntropy(session.index(1, 0), vector(2, 10));
        assertValues(loss.perRow(), Math.log(4.0 / 3), Math.log(2));
        assertValues(loss.sum(), 2 * Math.log(4.0 / 3) + 10 * Math.log(2));
        assertThat(loss.sum().shape()).isEqualTo(Shape.SCALAR);

        Weight weight = backend.weight(HostTensor.of(Shape.of(2, 1), 0, 1), DType.F64);
        Loss fused = matrix(2, Math.log(3), 0).linearCrossEntropy(weight, session.index(1, 0), vector(2, 10));
        assertValues(fused.perRow(), Math.log(4.0 / 3), Math.log(2));
        assertValues(fused.sum(), 2 * Math.log(4.0 / 3) + 10 * Math.log(2));
        backend.free(weight);
    }

    /** The expected numbers are those of torch.nn.CrossEntropyLoss(weight, label_smoothing=0.1), which divides by the sum of the labels' class weights. */
    @Test
    void crossEntropiesOfSmoothedLabelsAndWeightedClasses() {
        Tensor logits = matrix(3, 1, 2, 3, 0.5, -1, 0, 2, 2, -3);
        Index labels = session.index(2, 0, 1);
        Tensor classes = vector(0.5, 2, 1);
        Tensor thirds = vector(1 / 3.0, 1 / 3.0, 1 / 3.0);
        Tensor weighted = vector(1 / 3.5, 1 / 3.5, 1 / 3.5);
        assertValues(logits.crossEntropy(labels, thirds, 0.1, null).sum(), 0.6805267982988403);
        assertValues(logits.crossEntropy(labels, weighted, 0, classes).sum(), 0.6007692144791149);
        Loss both = logits.crossEntropy(labels, weighted, 0.1, classes);
        assertValues(both.sum(), 0.7071576712737859);
        assertValues(both.perRow(), logits.crossEntropy(labels, thirds).perRow().toDoubles());

        Weight weight = backend.weight(HostTensor.of(Shape.of(3, 3), 1, 0, 0, 0, 1, 0, 0, 0, 1), DType.F64);
        assertValues(logits.linearCrossEntropy(weight, labels, thirds, 0.1).sum(), 0.6805267982988403);
        backend.free(weight);
    }
}
