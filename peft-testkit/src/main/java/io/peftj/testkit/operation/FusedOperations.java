package io.peftj.testkit.operation;

import static io.peftj.testkit.operation.Operation.named;

import io.peftj.core.tensor.Activation;
import io.peftj.core.tensor.Index;
import io.peftj.testkit.operation.Operation.Values;
import java.util.ArrayList;
import java.util.List;

/** Norms, rotary embedding, gates and losses. */
final class FusedOperations {
    private static final double EPS = 1e-5;

    private FusedOperations() {}

    static List<Operation> all() {
        List<Operation> cases = new ArrayList<>(norms());
        for (int headDim : new int[] {2, 8, 12, 16, 48, 64}) {
            cases.add(named("rotary of head dimension " + headDim)
                    .input("x", 3, 2, headDim)
                    .constant("cos", 3, headDim / 2)
                    .constant("sin", 3, headDim / 2)
                    .computes(o -> o.get("x").rotary(o.get("cos"), o.get("sin"))));
        }
        for (Activation activation : Activation.values()) {
            cases.add(named("gatedActivation " + activation)
                    .input("gate", Values.AWAY_FROM_ZERO, 3, 4)
                    .input("up", 3, 4)
                    .computes(o -> o.get("gate").gatedActivation(o.get("up"), activation)));
        }
        cases.addAll(losses());
        return cases;
    }

    private static List<Operation> norms() {
        return List.of(
                named("rmsNorm without a weight")
                        .input("x", 3, 8)
                        .computes(o -> o.get("x").rmsNorm(null, EPS)),
                named("rmsNorm with a frozen weight")
                        .input("x", 3, 8)
                        .constant("w", 8)
                        .computes(o -> o.get("x").rmsNorm(o.get("w"), EPS)),
                named("rmsNorm with a trained weight")
                        .input("x", 3, 8)
                        .input("w", 8)
                        .computes(o -> o.get("x").rmsNorm(o.get("w"), EPS)),
                named("rmsNorm of heads")
                        .input("x", 3, 2, 4)
                        .constant("w", 4)
                        .computes(o -> o.get("x").rmsNorm(o.get("w"), EPS)),
                named("layerNorm without parameters")
                        .input("x", 3, 8)
                        .computes(o -> o.get("x").layerNorm(null, null, EPS)),
                named("layerNorm with frozen parameters")
                        .input("x", 3, 8)
                        .constant("w", 8)
                        .constant("b", 8)
                        .computes(o -> o.get("x").layerNorm(o.get("w"), o.get("b"), EPS)),
                named("layerNorm with a frozen weight")
                        .input("x", 3, 2, 4)
                        .constant("w", 4)
                        .computes(o -> o.get("x").layerNorm(o.get("w"), null, EPS)),
                named("layerNorm with a trained bias")
                        .input("x", 3, 8)
                        .constant("w", 8)
                        .input("b", 8)
                        .computes(o -> o.get("x").layerNorm(o.get("w"), o.get("b"), EPS)),
                named("layerNorm with trained parameters")
                        .input("x", 3, 8)
                        .input("w", 8)
                        .input("b", 8)
                        .computes(o -> o.get("x").layerNorm(o.get("w"), o.get("b"), EPS)),
                named("layerNorm with a trained weight and a frozen bias")
                        .input("x", 3, 8)
                        .input("w", 8)
                        .constant("b", 8)
                        .computes(o -> o.get("x").layerNorm(o.get("w"), o.get("b"), EPS)));
    }

    private static List<Operation> losses() {
        return List.of(
                named("crossEntropy")
                        .input("logits", 4, 5)
                        .singleConstant("weights", 4)
                        .computes(o -> o.get("logits")
                                .crossEntropy(labels(o), o.get("weights"))
                                .sum()),
                named("crossEntropy of great logits")
                        .input("logits", 4, 5)
                        .singleConstant("weights", 4)
                        .computes(o -> o.get("logits")
                                .affine(200, 1000)
                                .crossEntropy(labels(o), o.get("weights"))
                                .sum()
                                .affine(1e-3, 0)),
                named("crossEntropy with smoothed labels")
                        .input("logits", 4, 5)
                        .singleConstant("weights", 4)
                        .computes(o -> o.get("logits")
                                .crossEntropy(labels(o), o.get("weights"), 0.1, null)
                                .sum()),
                named("crossEntropy with weighted classes")
                        .input("logits", 4, 5)
                        .singleConstant("weights", 4)
                        .singleConstant("classes", 5)
                        .computes(o -> o.get("logits")
                                .crossEntropy(labels(o), o.get("weights"), 0, o.get("classes"))
                                .sum()),
                named("crossEntropy with smoothed labels and weighted classes")
                        .input("logits", 4, 5)
                        .singleConstant("weights", 4)
                        .singleConstant("classes", 5)
                        .computes(o -> o.get("logits")
                                .crossEntropy(labels(o), o.get("weights"), 0.3, o.get("classes"))
                                .sum()),
                named("crossEntropy of each row")
                        .constant("logits", 4, 5)
                        .singleConstant("weights", 4)
                        .computes(o -> o.get("logits")
                                .crossEntropy(labels(o), o.get("weights"))
                                .perRow()),
                named("linearCrossEntropy")
                        .input("x", 4, 3)
                        .weight("w", 5, 3)
                        .singleConstant("weights", 4)
                        .computes(o -> o.get("x")
                                .linearCrossEntropy(o.weight("w"), labels(o), o.get("weights"))
                                .sum()),
                named("linearCrossEntropy with smoothed labels")
                        .input("x", 4, 3)
                        .weight("w", 5, 3)
                        .singleConstant("weights", 4)
                        .computes(o -> o.get("x")
                                .linearCrossEntropy(o.weight("w"), labels(o), o.get("weights"), 0.2)
                                .sum()),
                named("linearCrossEntropy of each row")
                        .constant("x", 4, 3)
                        .weight("w", 5, 3)
                        .singleConstant("weights", 4)
                        .computes(o -> o.get("x")
                                .linearCrossEntropy(o.weight("w"), labels(o), o.get("weights"))
                                .perRow()));
    }

    private static Index labels(Operands operands) {
        return operands.session().index(4, 0, 2, 0);
    }
}
