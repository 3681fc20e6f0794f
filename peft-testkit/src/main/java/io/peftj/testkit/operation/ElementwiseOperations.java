package io.peftj.testkit.operation;

import static io.peftj.testkit.operation.Operation.named;

import io.peftj.core.tensor.Activation;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import io.peftj.testkit.operation.Operation.Values;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BinaryOperator;

/** Elementwise operations with every kind of broadcasting. */
final class ElementwiseOperations {
    private static final Shape WHOLE = Shape.of(4, 3);
    private static final List<Shape> BROADCAST =
            List.of(WHOLE, Shape.SCALAR, Shape.of(1), Shape.of(3), Shape.of(1, 3), Shape.of(4, 1), Shape.of(1, 1));

    private ElementwiseOperations() {}

    static List<Operation> all() {
        List<Operation> cases = new ArrayList<>();
        binary().forEach((name, operation) -> {
            for (Shape shape : BROADCAST) {
                cases.add(binary(name, operation, WHOLE, shape));
                cases.add(binary(name, operation, shape, WHOLE));
            }
            cases.add(binary(name, operation, Shape.of(2, 3, 4), Shape.of(3, 1)));
            cases.add(binary(name, operation, Shape.of(3, 4), Shape.of(2, 3, 4)));
            cases.add(named(name + " of one tensor with itself")
                    .input("x", Values.POSITIVE, 3, 2)
                    .computes(o -> operation.apply(o.get("x"), o.get("x"))));
            cases.add(named(name + " with a constant on the right")
                    .input("x", 3, 2)
                    .constant("c", 3, 2)
                    .computes(o -> operation.apply(o.get("x"), o.get("c"))));
            cases.add(named(name + " with a constant on the left")
                    .constant("c", 3, 2)
                    .input("x", Values.POSITIVE, 3, 2)
                    .computes(o -> operation.apply(o.get("c"), o.get("x"))));
        });
        cases.addAll(unary());
        return cases;
    }

    private static Map<String, BinaryOperator<Tensor>> binary() {
        Map<String, BinaryOperator<Tensor>> operations = new LinkedHashMap<>();
        operations.put("plus", Tensor::plus);
        operations.put("minus", Tensor::minus);
        operations.put("times", Tensor::times);
        operations.put("dividedBy", Tensor::dividedBy);
        return operations;
    }

    private static Operation binary(String name, BinaryOperator<Tensor> operation, Shape a, Shape b) {
        return named(name + " of " + a + " and " + b)
                .input("a", a.dims())
                .input("b", Values.POSITIVE, b.dims())
                .computes(o -> operation.apply(o.get("a"), o.get("b")));
    }

    private static List<Operation> unary() {
        List<Operation> cases = new ArrayList<>(List.of(
                named("affine").input("x", 3, 4).computes(o -> o.get("x").affine(-0.75, 2.5)),
                named("exp").input("x", 3, 4).computes(o -> o.get("x").exp()),
                named("log")
                        .input("x", Values.POSITIVE, 3, 4)
                        .computes(o -> o.get("x").log()),
                named("sqrt")
                        .input("x", Values.POSITIVE, 3, 4)
                        .computes(o -> o.get("x").sqrt()),
                named("abs")
                        .input("x", Values.AWAY_FROM_ZERO, 3, 4)
                        .computes(o -> o.get("x").abs()),
                named("sigmoid").input("x", 3, 4).computes(o -> o.get("x").sigmoid()),
                named("dropout").input("x", 6, 7).computes(o -> o.get("x").dropout(Slots.dropout(o.session(), 6)))));
        for (Activation activation : Activation.values()) {
            cases.add(named(activation + " of two axes")
                    .input("x", Values.AWAY_FROM_ZERO, 4, 5)
                    .computes(o -> o.get("x").activation(activation)));
        }
        return cases;
    }
}
