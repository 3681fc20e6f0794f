package io.peftj.testkit.operation;

import static io.peftj.testkit.operation.Operation.named;

import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Products with frozen, trainable, shared and grouped matrices. */
final class ProductOperations {
    private ProductOperations() {}

    static List<Operation> all() {
        List<Operation> cases = new ArrayList<>(ungrouped());
        cases.addAll(grouped("equal segments", 3, Slots::equal));
        cases.addAll(grouped("ragged segments", 4, Slots::ragged));
        cases.addAll(grouped("one segment", 1, session -> Slots.one(session, 9)));
        cases.addAll(grouped(
                "no slot anywhere",
                2,
                session -> Segments.of(session, new int[] {0, 9}, new int[] {Segments.NONE}, 2)));
        return cases;
    }

    private static List<Operation> ungrouped() {
        return List.of(
                named("linear with a frozen weight")
                        .input("x", 5, 4)
                        .weight("w", 3, 4)
                        .computes(o -> o.get("x").linear(o.weight("w"), null)),
                named("linear of a wide token")
                        .input("x", 1, 32)
                        .weight("w", 48, 32)
                        .computes(o -> o.get("x").linear(o.weight("w"), null)),
                named("linear with a frozen weight and bias")
                        .input("x", 5, 4)
                        .weight("w", 3, 4)
                        .constant("bias", 3)
                        .computes(o -> o.get("x").linear(o.weight("w"), o.get("bias"))),
                named("linear with a frozen weight and a trained bias")
                        .input("x", 5, 4)
                        .weight("w", 3, 4)
                        .input("bias", 3)
                        .computes(o -> o.get("x").linear(o.weight("w"), o.get("bias"))),
                named("rows of a frozen weight")
                        .weight("w", 6, 4)
                        .computes(o -> Tensor.rows(
                                o.session(), o.weight("w"), o.session().index(5, 0, 5, 2))),
                named("linear with a matrix")
                        .input("x", 5, 4)
                        .input("p", 3, 4)
                        .computes(o -> o.get("x").linear(o.get("p"))),
                named("linear of a constant with a matrix")
                        .constant("x", 5, 4)
                        .input("p", 3, 4)
                        .computes(o -> o.get("x").linear(o.get("p"))),
                named("linear with a constant matrix")
                        .input("x", 5, 4)
                        .constant("p", 3, 4)
                        .computes(o -> o.get("x").linear(o.get("p"))),
                named("matmul of two axes")
                        .input("a", 3, 4)
                        .input("b", 4, 2)
                        .computes(o -> o.get("a").matmul(o.get("b"))),
                named("matmul of three axes")
                        .input("a", 2, 3, 4)
                        .input("b", 2, 4, 5)
                        .computes(o -> o.get("a").matmul(o.get("b"))),
                named("matmul of a transposed view")
                        .input("a", 2, 3, 4)
                        .input("b", 2, 5, 4)
                        .computes(o -> o.get("a").matmul(o.get("b").transpose())),
                named("orthonormalRows")
                        .input("x", 3, 7)
                        .computes(o -> o.get("x").orthonormalRows()),
                named("orthonormalRows of a square matrix")
                        .input("x", 4, 4)
                        .computes(o -> o.get("x").orthonormalRows()),
                named("orthonormalRows of one row")
                        .input("x", 1, 5)
                        .computes(o -> o.get("x").orthonormalRows()),
                named("lowRankDelta")
                        .input("x", 5, 4)
                        .singleInput("a", 2, 4)
                        .singleInput("b", 3, 2)
                        .computes(o -> o.get("x").lowRankDelta(o.get("a"), o.get("b"), null, null)),
                named("lowRankDelta of a constant")
                        .constant("x", 5, 4)
                        .singleInput("a", 2, 4)
                        .singleInput("b", 3, 2)
                        .computes(o -> o.get("x").lowRankDelta(o.get("a"), o.get("b"), null, null)),
                named("lowRankDelta with dropout")
                        .input("x", 6, 8)
                        .singleInput("a", 2, 8)
                        .singleInput("b", 3, 2)
                        .computes(o ->
                                o.get("x").lowRankDelta(o.get("a"), o.get("b"), null, Slots.dropout(o.session(), 6))));
    }

    private static List<Operation> grouped(String segments, int slots, Function<Session, Segments> make) {
        return List.of(
                named("linear with matrices, " + segments)
                        .input("x", 9, 4)
                        .input("p", slots, 3, 4)
                        .computes(o -> o.get("x").linear(o.get("p"), make.apply(o.session()))),
                named("lowRankDelta, " + segments)
                        .input("x", 9, 4)
                        .singleInput("a", slots, 2, 4)
                        .singleInput("b", slots, 3, 2)
                        .computes(o -> o.get("x").lowRankDelta(o.get("a"), o.get("b"), make.apply(o.session()), null)),
                named("lowRankDelta with dropout, " + segments)
                        .input("x", 9, 8)
                        .singleInput("a", slots, 2, 8)
                        .singleInput("b", slots, 3, 2)
                        .computes(o -> o.get("x")
                                .lowRankDelta(
                                        o.get("a"),
                                        o.get("b"),
                                        make.apply(o.session()),
                                        Slots.dropout(o.session(), 9))));
    }
}
