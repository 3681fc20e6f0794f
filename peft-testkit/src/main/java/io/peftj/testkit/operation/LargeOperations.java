package io.peftj.testkit.operation;

import static io.peftj.testkit.operation.Operation.named;

import io.peftj.core.tensor.Segments;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/** Sizes at which kernels work in blocks, vectors and chunks: slow under finite differences, so for comparisons only. */
final class LargeOperations {
    private LargeOperations() {}

    static List<Operation> all() {
        List<Operation> cases = new ArrayList<>(List.of(
                named("linear of many tokens")
                        .input("x", 130, 72)
                        .weight("w", 65, 72)
                        .computes(o -> o.get("x").linear(o.weight("w"), null)),
                named("lowRankDelta of many tokens")
                        .input("x", 130, 72)
                        .singleInput("a", 8, 72)
                        .singleInput("b", 65, 8)
                        .computes(o ->
                                o.get("x").lowRankDelta(o.get("a"), o.get("b"), null, Slots.dropout(o.session(), 130))),
                named("linear with matrices, many tokens in equal segments")
                        .input("x", 120, 40)
                        .input("p", 3, 36, 40)
                        .computes(o -> o.get("x").linear(o.get("p"), Segments.of(o.session(), 0, 40, 80, 120))),
                named("linear with matrices, many tokens in ragged segments")
                        .input("x", 120, 40)
                        .input("p", 3, 36, 40)
                        .computes(o -> o.get("x").linear(o.get("p"), Segments.of(o.session(), 0, 35, 84, 120))),
                named("lowRankDelta, many tokens in equal segments")
                        .input("x", 96, 40)
                        .singleInput("a", 2, 32, 40)
                        .singleInput("b", 2, 36, 32)
                        .computes(o -> o.get("x")
                                .lowRankDelta(o.get("a"), o.get("b"), Segments.of(o.session(), 0, 48, 96), null)),
                named("matmul of many rows")
                        .input("a", 2, 40, 50)
                        .input("b", 2, 50, 33)
                        .computes(o -> o.get("a").matmul(o.get("b"))),
                manyClasses("linearCrossEntropy of many rows and classes", 0),
                manyClasses("linearCrossEntropy of many rows and classes with smoothed labels", 0.1),
                named("layerNorm of a wide token")
                        .input("x", 5, 768)
                        .constant("w", 768)
                        .constant("b", 768)
                        .computes(o -> o.get("x").layerNorm(o.get("w"), o.get("b"), 1e-12)),
                named("rmsNorm of a wide token")
                        .input("x", 5, 576)
                        .constant("w", 576)
                        .computes(o -> o.get("x").rmsNorm(o.get("w"), 1e-6))));
        cases.addAll(AttentionOperations.large());
        cases.addAll(CacheOperations.large());
        return cases;
    }

    private static Operation manyClasses(String name, double smoothing) {
        return named(name)
                .input("x", 300, 4)
                .weight("w", 9000, 4)
                .singleConstant("weights", 300)
                .computes(o -> {
                    long[] labels =
                            LongStream.range(0, 300).map(i -> i * 53 % 9000).toArray();
                    return o.get("x")
                            .linearCrossEntropy(o.weight("w"), o.session().index(labels), o.get("weights"), smoothing)
                            .sum();
                });
    }
}
