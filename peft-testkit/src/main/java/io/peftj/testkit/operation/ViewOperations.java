package io.peftj.testkit.operation;

import static io.peftj.testkit.operation.Operation.named;

import io.peftj.core.tensor.Activation;
import io.peftj.core.tensor.AttentionPrefix;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Kernels.Reduction;
import io.peftj.core.tensor.Layout;
import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;

/** Operations on views with gaps between their elements, and with gradients that arrive as such views. */
final class ViewOperations {
    private static final int TOKENS = 9;
    private static final int WIDTH = 8;
    private static final double EPS = 1e-5;

    private ViewOperations() {}

    static List<Operation> all() {
        List<Operation> cases = new ArrayList<>();
        functions().forEach((name, function) -> {
            cases.add(operands(named(name + " of a transposed view").input("x", WIDTH, TOKENS))
                    .computes(o -> function.apply(o, o.get("x").transpose())));
            cases.add(operands(named(name + " of some columns").input("x", TOKENS, WIDTH + 5))
                    .computes(o -> function.apply(o, o.get("x").slice(1, 2, 2 + WIDTH))));
            cases.add(operands(named(name + " of some rows").input("x", TOKENS + 5, WIDTH))
                    .computes(o -> function.apply(o, o.get("x").slice(0, 3, 3 + TOKENS))));
            cases.add(operands(named(name + " whose result is transposed").input("x", TOKENS, WIDTH))
                    .computes(o -> transposed(function.apply(o, o.get("x")))));
        });
        cases.addAll(parameters());
        cases.add(fusedProjection(3, 3, 3));
        cases.add(fusedProjection(4, 1, 4));
        return cases;
    }

    /** The tensors that some of the functions need besides x. */
    private static Operation operands(Operation operation) {
        return operation
                .constant("row", WIDTH)
                .constant("column", TOKENS, 1)
                .constant("like", TOKENS, WIDTH)
                .weight("frozen", 5, WIDTH)
                .input("matrix", 5, WIDTH)
                .input("matrices", 4, 5, WIDTH)
                .singleInput("a", 2, WIDTH)
                .singleInput("b", 5, 2)
                .singleConstant("losses", TOKENS);
    }

    private static Map<String, BiFunction<Operands, Tensor, Tensor>> functions() {
        Map<String, BiFunction<Operands, Tensor, Tensor>> functions = new LinkedHashMap<>();
        functions.put("exp", (o, x) -> x.exp());
        functions.put("affine", (o, x) -> x.affine(2, 1));
        functions.put("gelu", (o, x) -> x.activation(Activation.GELU));
        functions.put("plus of a row", (o, x) -> x.plus(o.get("row")));
        functions.put("times of a column", (o, x) -> x.times(o.get("column")));
        functions.put("times of itself", (o, x) -> x.times(x));
        functions.put("gatedActivation", (o, x) -> x.gatedActivation(o.get("like"), Activation.SILU));
        functions.put("gatedActivation as up", (o, x) -> o.get("like").gatedActivation(x, Activation.GELU_TANH));
        functions.put("cast", (o, x) -> x.cast(DType.F32).cast(o.dtype()));
        functions.put("reshape", (o, x) -> x.reshape(TOKENS * 2, WIDTH / 2));
        functions.put("concat", (o, x) -> Tensor.concat(List.of(x, o.get("like")), 1));
        functions.put("gather", (o, x) -> x.gather(o.session().index(1, 1, 8)));
        functions.put("scatterAdd", (o, x) -> x.scatterAdd(o.session().index(0, 1, 0, 2, 3, 4, 4, 4, 5), 6));
        functions.put("addAt", (o, x) -> o.get("like").addAt(o.session().index(8, 0, 1, 2, 3, 4, 5, 6, 7), x));
        functions.put("addAt from some rows", (o, x) -> x.addAt(o.session().index(4, 2), x.slice(0, 5, 7)));
        functions.put("segmentReduce", (o, x) -> x.segmentReduce(Slots.ragged(o.session()), Reduction.MEAN));
        functions.put("sum of the first axis", (o, x) -> x.sum(0));
        functions.put("sum of the last axis", (o, x) -> x.sum(1));
        functions.put("softmax", (o, x) -> x.softmax());
        functions.put("rmsNorm", (o, x) -> x.rmsNorm(o.get("row"), EPS));
        functions.put("layerNorm", (o, x) -> x.layerNorm(o.get("row"), o.get("row"), EPS));
        functions.put("dropout", (o, x) -> x.dropout(Slots.dropout(o.session(), TOKENS)));
        functions.put("linear with a frozen weight", (o, x) -> x.linear(o.weight("frozen"), null));
        functions.put("linear with a matrix", (o, x) -> x.linear(o.get("matrix")));
        functions.put("linear with matrices", (o, x) -> x.linear(o.get("matrices"), Slots.ragged(o.session())));
        functions.put("lowRankDelta", (o, x) -> x.lowRankDelta(o.get("a"), o.get("b"), null, null));
        functions.put(
                "lowRankDelta with dropout",
                (o, x) -> x.lowRankDelta(o.get("a"), o.get("b"), null, Slots.dropout(o.session(), TOKENS)));
        functions.put(
                "crossEntropy",
                (o, x) -> x.crossEntropy(o.session().index(0, 1, 2, 3, 4, 5, 6, 7, 0), o.get("losses"))
                        .sum());
        functions.put(
                "linearCrossEntropy",
                (o, x) -> x.linearCrossEntropy(
                                o.weight("frozen"), o.session().index(0, 1, 2, 3, 4, 0, 1, 2, 3), o.get("losses"))
                        .sum());
        return functions;
    }

    /** The result with its axes exchanged, so that its cotangent reaches the rule as a transposed view. */
    private static Tensor transposed(Tensor result) {
        return result.shape().rank() == 2 ? result.transpose() : result;
    }

    private static List<Operation> parameters() {
        return List.of(
                named("linear with a transposed matrix")
                        .input("x", 5, 4)
                        .input("p", 4, 3)
                        .computes(o -> o.get("x").linear(o.get("p").transpose())),
                named("linear with some of the stacked matrices")
                        .input("x", 5, 4)
                        .input("p", 4, 3, 4)
                        .computes(o -> {
                            Segments segments = Segments.of(o.session(), 0, 2, 5);
                            return o.get("x").linear(o.get("p").slice(0, 1, 3), segments);
                        }),
                named("lowRankDelta with parts of larger matrices")
                        .input("x", 5, 4)
                        .singleInput("a", 6, 4)
                        .singleInput("b", 6, 3)
                        .computes(o -> o.get("x")
                                .lowRankDelta(
                                        o.get("a").slice(0, 2, 4),
                                        o.get("b").slice(0, 1, 3).transpose(),
                                        null,
                                        null)),
                named("layerNorm with parts of longer parameters")
                        .input("x", 5, 4)
                        .constant("parameters", 3, 4)
                        .computes(o -> {
                            Tensor rows = o.get("parameters");
                            return o.get("x")
                                    .layerNorm(
                                            rows.slice(0, 1, 2).reshape(4),
                                            rows.slice(0, 2, 3).reshape(4),
                                            EPS);
                        }),
                named("attention with parts of a longer prefix")
                        .input("q", 5, 4, 8)
                        .input("kv", 5, 4, 8)
                        .input("prefix", 7, 4, 8)
                        .computes(o -> {
                            Layout layout = Layout.of(o.session(), 2, 3);
                            Tensor keys = o.get("prefix").slice(0, 1, 4).slice(1, 0, 2);
                            Tensor values = o.get("prefix").slice(0, 3, 6).slice(1, 2, 4);
                            Tensor k = o.get("kv").slice(1, 0, 2);
                            Tensor v = o.get("kv").slice(1, 2, 4);
                            List<AttentionPrefix> prefixes = List.of(new AttentionPrefix(2, 5, keys, values));
                            return o.get("q").attention(k, v, layout, true, 0.3, prefixes);
                        }));
    }

    /** Query, key and value heads cut out of one product, as a fused projection gives them. */
    private static Operation fusedProjection(int... rows) {
        int heads = 4;
        int kvHeads = 2;
        int headDim = 8;
        return named("attention of a fused projection, rows " + Arrays.toString(rows))
                .input("x", TOKENS, WIDTH)
                .weight("w", (heads + 2 * kvHeads) * headDim, WIDTH)
                .constant("cos", TOKENS, headDim / 2)
                .constant("sin", TOKENS, headDim / 2)
                .computes(o -> {
                    // Halved: great scores would magnify the rounding of bf16.
                    Tensor all = o.get("x").affine(0.5, 0).linear(o.weight("w"), null);
                    List<Tensor> parts = all.split(1, heads * headDim, kvHeads * headDim, kvHeads * headDim);
                    Tensor q = parts.get(0).reshape(TOKENS, heads, headDim);
                    Tensor k = parts.get(1).reshape(TOKENS, kvHeads, headDim);
                    Tensor v = parts.get(2).reshape(TOKENS, kvHeads, headDim);
                    return q.rotary(o.get("cos"), o.get("sin"))
                            .attention(
                                    k.rotary(o.get("cos"), o.get("sin")),
                                    v,
                                    Layout.of(o.session(), rows),
                                    true,
                                    0.3,
                                    List.of())
                            .reshape(TOKENS, heads * headDim);
                });
    }
}
