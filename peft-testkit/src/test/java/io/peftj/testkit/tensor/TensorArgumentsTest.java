package io.peftj.testkit.tensor;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.peftj.core.tensor.Activation;
import io.peftj.core.tensor.AttentionPrefix;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Dropout;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Kernels.Reduction;
import io.peftj.core.tensor.Layout;
import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Wrong shapes and mixed formats are refused with a message that names the operation. */
class TensorArgumentsTest extends ReferenceSession {
    private final Map<Runnable, String> cases = new LinkedHashMap<>();

    @TestFactory
    Stream<DynamicTest> refusesWithItsMessage() {
        structure();
        indexed();
        elementwise();
        products();
        fused();
        attention();
        made();
        return cases.entrySet().stream()
                .map(entry -> dynamicTest(entry.getValue(), () -> refuses(entry.getKey(), entry.getValue())));
    }

    private static void refuses(Runnable operation, String message) {
        assertThatThrownBy(operation::run)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }

    private void expect(String message, Runnable operation) {
        cases.put(operation, message);
    }

    private void structure() {
        Tensor x = zeros(2, 3);
        expect("reshape: shape [2, 3] has 6 elements, [4, 2] has 8", () -> x.reshape(4, 2));
        expect("permute: axes [0] are not those of shape [2, 3]", () -> x.permute(0));
        expect("permute: axes [1, 1] name an axis twice", () -> x.permute(1, 1));
        expect("axis 2 does not exist in shape [2, 3]", () -> x.permute(0, 2));
        expect(
                "transpose: expected two or three axes, found shape [6]",
                () -> x.reshape(6).transpose());
        expect("slice: [1, 4) is not inside axis 1 of shape [2, 3]", () -> x.slice(1, 1, 4));
        expect("slice: [2, 1) is not inside axis 1 of shape [2, 3]", () -> x.slice(-1, 2, 1));
        expect("split: sizes [1, 1] do not add up to axis 1 of shape [2, 3]", () -> x.split(1, 1, 1));
        expect("concat: there is nothing to join", () -> Tensor.concat(List.of(), 0));
        expect(
                "concat: shapes [2, 3] and [2, 4] differ outside axis 0",
                () -> Tensor.concat(List.of(x, zeros(2, 4)), 0));
        expect(
                "concat: the formats F64 and F32 differ; cast one of them, nothing is promoted",
                () -> Tensor.concat(List.of(x, session.zeros(Shape.of(2, 3), DType.F32)), 0));
        expect("axis -3 does not exist in shape [2, 3]", () -> x.sum(-3));
        expect("axis 5 does not exist in shape [2, 3]", () -> x.max(5));
    }

    private void indexed() {
        Tensor x = zeros(4, 2);
        Segments segments = Segments.of(session, new int[] {0, 1, 3}, new int[] {0, Segments.NONE}, 5);
        expect("gather: number 4 is not a row of 4", () -> x.gather(session.index(0, 4)));
        expect("gather: number -1 is not a row of 4", () -> x.gather(session.index(-1)));
        expect("scatterAdd: number 3 is not a row of 3", () -> x.scatterAdd(session.index(0, 1, 2, 3), 3));
        expect("scatterAdd: 2 numbers were given for shape [4, 2]", () -> x.scatterAdd(session.index(0, 1), 3));
        expect("addAt: a number is given twice", () -> x.addAt(session.index(1, 1), zeros(2, 2)));
        expect("addAt: delta should have shape [2, 2], found [1, 2]", () -> x.addAt(session.index(1, 2), zeros(1, 2)));
        expect("repeat: expected one row for each of 5 slots, found shape [4, 2]", () -> x.repeat(segments, 0));
        expect(
                "segmentReduce: segments cover 3 places, shape is [4, 2]",
                () -> x.segmentReduce(segments, Reduction.SUM));
    }

    private void elementwise() {
        Tensor x = zeros(2, 3);
        expect(
                "plus: shapes [2, 3] and [2] do not match; one of them must be the other's shape, with sizes of 1 or "
                        + "without leading axes",
                () -> x.plus(zeros(2)));
        expect(
                "times: shapes [3, 1] and [1, 3] do not match; one of them must be the other's shape, with sizes of 1 "
                        + "or without leading axes",
                () -> zeros(3, 1).times(zeros(1, 3)));
        expect(
                "minus: the formats F64 and BF16 differ; cast one of them, nothing is promoted",
                () -> x.minus(session.zeros(Shape.of(3), DType.BF16)));
        expect(
                "dropout: expected [tokens, features], found shape [6]",
                () -> x.reshape(6).dropout(dropout(6)));
        expect(
                "dropout: 3 keys and 3 thresholds were given for shape [2, 3]; expected one of each a token",
                () -> x.dropout(dropout(3)));
        expect("a dropout probability is at least 0 and under 1, found 1.0", () -> Dropout.threshold(1));
        expect("a dropout probability is at least 0 and under 1, found NaN", () -> Dropout.threshold(Double.NaN));
    }

    private void products() {
        Tensor x = zeros(3, 4);
        Weight weight = new FrozenShape(5, 4, DType.F64);
        expect(
                "linear: expected [tokens, 4] for a weight [5, 4], found shape [4, 3]",
                () -> x.transpose().linear(weight, null));
        expect(
                "linear: the input is F64, the weight BF16; cast the input",
                () -> x.linear(new FrozenShape(5, 4, DType.BF16), null));
        expect("linear: bias should have shape [5], found [4]", () -> x.linear(weight, zeros(4)));
        expect(
                "linear: expected a parameter [out, 4] for an input [3, 4], found shape [5, 3]",
                () -> x.linear(zeros(5, 3)));
        Segments segments = Segments.of(session, new int[] {0, 3}, new int[] {1}, 2);
        expect(
                "linear: expected a parameter [2, out, 4] for an input [3, 4], found shape [1, 5, 4]",
                () -> x.linear(zeros(1, 5, 4), segments));
        expect(
                "linear: the formats F64 and F32 differ; cast one of them, nothing is promoted",
                () -> x.linear(session.zeros(Shape.of(5, 4), DType.F32)));
        expect(
                "matmul: shapes [3, 4] and [3, 4] do not fit [m, k] · [k, n] with an equal leading axis or none",
                () -> x.matmul(x));
        expect(
                "lowRankDelta: B of shape [5, 3] does not fit A of shape [2, 4]; expected [out, r] and [r, in], "
                        + "stacked alike",
                () -> x.lowRankDelta(zeros(2, 4), zeros(5, 3), null, null));
        expect(
                "lowRankDelta: 2 keys and 2 thresholds were given for shape [3, 4]; expected one of each a token",
                () -> x.lowRankDelta(zeros(2, 4), zeros(5, 2), null, dropout(2)));
        expect("rows: number 5 is not a row of 5", () -> Tensor.rows(session, weight, session.index(5)));
    }

    private void fused() {
        Tensor x = zeros(3, 4);
        expect("rmsNorm: a parameter should have shape [4], found [3]", () -> x.rmsNorm(zeros(3), 1e-6));
        expect("layerNorm: a parameter should have shape [4], found [1]", () -> x.layerNorm(null, zeros(1), 1e-6));
        expect(
                "rotary: expected [tokens, heads, head dim], found shape [3, 4]",
                () -> x.rotary(zeros(3, 2), zeros(3, 2)));
        expect(
                "rotary: the head dimension of shape [1, 4, 3] is odd",
                () -> x.reshape(1, 4, 3).rotary(zeros(1, 1), zeros(1, 1)));
        expect(
                "rotary: cos should have shape [3, 2], found [3, 4]",
                () -> x.reshape(3, 1, 4).rotary(zeros(3, 4), zeros(3, 2)));
        expect(
                "gatedActivation: up should have shape [3, 4], found [4, 3]",
                () -> x.gatedActivation(zeros(4, 3), Activation.SILU));
        expect("crossEntropy: 2 labels were given for 3 rows", () -> x.crossEntropy(session.index(0, 1), zeros(3)));
        expect("crossEntropy: label 4 is not one of 4 classes", () -> x.crossEntropy(session.index(0, 1, 4), zeros(3)));
        expect(
                "crossEntropy: weights should have shape [3], found [2]",
                () -> x.crossEntropy(session.index(0, 1, 2), zeros(2)));
        expect(
                "crossEntropy: weights are F32 or F64, found BF16",
                () -> x.crossEntropy(session.index(0, 1, 2), session.zeros(Shape.of(3), DType.BF16)));
        expect(
                "crossEntropy: class weights should have shape [4], found [3]",
                () -> x.crossEntropy(session.index(0, 1, 2), zeros(3), 0, zeros(3)));
        expect(
                "crossEntropy: the smoothing should be 0 or more and below 1, found 1.0",
                () -> x.crossEntropy(session.index(0, 1, 2), zeros(3), 1, null));
        expect(
                "linearCrossEntropy: expected [rows, 5], found shape [3, 4]",
                () -> x.linearCrossEntropy(new FrozenShape(9, 5, DType.F64), session.index(0, 1, 2), zeros(3)));
        expect(
                "linearCrossEntropy: the input is F64, the weight F32",
                () -> x.linearCrossEntropy(new FrozenShape(9, 4, DType.F32), session.index(0, 1, 2), zeros(3)));
    }

    private void attention() {
        Layout layout = Layout.of(session, 2, 3);
        Tensor q = zeros(5, 4, 2);
        Tensor k = zeros(5, 2, 2);
        expect(
                "attention: expected queries [tokens, heads, head dim], found shape [5, 8]",
                () -> q.reshape(5, 8).attention(k, k, layout, true, 1, List.of()));
        expect(
                "attention: v should have shape [5, 2, 2], found [5, 4, 2]",
                () -> q.attention(k, q, layout, true, 1, List.of()));
        expect(
                "attention: queries [5, 4, 2] and keys [5, 3, 2] do not fit a layout of 5 tokens with heads a multiple "
                        + "of kv heads",
                () -> q.attention(zeros(5, 3, 2), zeros(5, 3, 2), layout, true, 1, List.of()));
        expect(
                "attention: queries [5, 4, 2] and keys [5, 2, 2] do not fit a layout of 6 tokens with heads a multiple "
                        + "of kv heads",
                () -> q.attention(k, k, Layout.of(session, 6), true, 1, List.of()));
        prefixed(
                "attention: a prefix's keys should have shape [length, 2, 2], found [3, 4, 2]",
                layout,
                prefix(0, 5, 3, 4));
        prefixed(
                "attention: a prefix's keys should have shape [length, 2, 2], found [0, 2, 2]",
                layout,
                prefix(0, 5, 0, 2));
        prefixed(
                "attention: a prefix's tokens [0, 3) do not begin and end where rows of the layout do",
                layout,
                prefix(0, 3, 1, 2));
        prefixed(
                "attention: a prefix's tokens [5, 2) do not begin and end where rows of the layout do",
                layout,
                prefix(5, 2, 1, 2));
        prefixed(
                "attention: the tokens [0, 5) have two prefixes; join their keys and values first",
                layout,
                prefix(2, 5, 1, 2),
                prefix(0, 5, 1, 2));
    }

    private void prefixed(String message, Layout layout, AttentionPrefix... prefixes) {
        Tensor q = zeros(5, 4, 2);
        Tensor k = zeros(5, 2, 2);
        expect(message, () -> q.attention(k, k, layout, true, 1, List.of(prefixes)));
    }

    private AttentionPrefix prefix(int begin, int end, int length, int kvHeads) {
        return new AttentionPrefix(begin, end, zeros(length, kvHeads, 2), zeros(length, kvHeads, 2));
    }

    private void made() {
        expect("shape [2, -1] has a negative size", () -> Shape.of(2, -1));
        expect("shape [2, 2] has 4 elements, but 3 values were given", () -> HostTensor.of(Shape.of(2, 2), 1, 2, 3));
        expect("shape [2] needs 2 values, found 1", () -> session.tensor(new double[1], Shape.of(2)));
        expect("a layout needs at least one row", () -> Layout.of(session));
        expect("row 1 has 0 tokens; every row needs at least one", () -> Layout.of(session, 3, 0));
        expect(
                "segments need offsets from 0 and one slot fewer than offsets, found offsets [1, 2] and slots [0]",
                () -> Segments.of(session, new int[] {1, 2}, new int[] {0}, 1));
        expect(
                "segment 1 runs from 3 to 2 with slot 1 of 2",
                () -> Segments.of(session, new int[] {0, 3, 2}, new int[] {0, 1}, 2));
        expect(
                "segment 0 runs from 0 to 3 with slot 2 of 2",
                () -> Segments.of(session, new int[] {0, 3}, new int[] {2}, 2));
        expect("a sum needs at least one term", () -> session.sum(List.of()));
    }

    private Dropout dropout(int tokens) {
        return new Dropout(session.index(new long[tokens]), session.index(new long[tokens]), 0);
    }

    /** A weight that no kernel may see. */
    private record FrozenShape(int outFeatures, int inFeatures, DType dtype) implements Weight {}
}
