package io.peftj.testkit.operation;

import static io.peftj.testkit.operation.Operation.named;

import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Kernels.Reduction;
import io.peftj.core.tensor.Segments;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import io.peftj.testkit.operation.Operation.Values;
import java.util.ArrayList;
import java.util.List;

/** Operations that move values, and reductions. */
final class StructureOperations {
    private StructureOperations() {}

    static List<Operation> all() {
        List<Operation> cases = new ArrayList<>(moves());
        cases.addAll(indexed());
        cases.addAll(reductions());
        return cases;
    }

    private static List<Operation> moves() {
        return List.of(
                named("reshape").input("x", 2, 6).computes(o -> o.get("x").reshape(3, 4)),
                named("permute").input("x", 2, 3, 4).computes(o -> o.get("x").permute(2, 0, 1)),
                named("transpose of two axes")
                        .input("x", 2, 3)
                        .computes(o -> o.get("x").transpose()),
                named("transpose of three axes")
                        .input("x", 2, 3, 4)
                        .computes(o -> o.get("x").transpose()),
                named("slice of the first axis")
                        .input("x", 5, 3)
                        .computes(o -> o.get("x").slice(0, 1, 4)),
                named("slice of the last axis")
                        .input("x", 2, 3, 5)
                        .computes(o -> o.get("x").slice(-1, 2, 5)),
                named("slice of the middle axis")
                        .input("x", 2, 5, 3)
                        .computes(o -> o.get("x").slice(1, 0, 2)),
                named("split").input("x", 3, 6).computesAll(o -> o.get("x").split(1, 1, 3, 2)),
                named("split with an unused part").input("x", 6, 3).computesAll(o -> {
                    List<Tensor> parts = o.get("x").split(0, 1, 3, 2);
                    return List.of(parts.get(0), parts.get(2));
                }),
                named("concat of the first axis")
                        .input("a", 2, 3)
                        .input("b", 1, 3)
                        .constant("c", 3, 3)
                        .computes(o -> Tensor.concat(List.of(o.get("a"), o.get("b"), o.get("c")), 0)),
                named("concat of the last axis")
                        .input("a", 2, 2, 3)
                        .input("b", 2, 2, 1)
                        .computes(o -> Tensor.concat(List.of(o.get("a"), o.get("b"), o.get("a")), -1)),
                named("cast to single precision and back")
                        .input("x", 3, 4)
                        .computes(o -> o.get("x").cast(DType.F32).cast(o.dtype())),
                named("cast to bf16 and back")
                        .input("x", 3, 4)
                        .computes(o -> o.get("x").cast(DType.BF16).cast(o.dtype())),
                named("sumTo a row").input("x", 4, 3).computes(o -> o.get("x").sumTo(Shape.of(3))),
                named("sumTo a column")
                        .input("x", 4, 3)
                        .computes(o -> o.get("x").sumTo(Shape.of(4, 1))),
                named("sumTo a scalar")
                        .input("x", 4, 3)
                        .computes(o -> o.get("x").sumTo(Shape.SCALAR)),
                named("sumTo inner axes")
                        .input("x", 2, 3, 4)
                        .computes(o -> o.get("x").sumTo(Shape.of(3, 1))));
    }

    private static List<Operation> indexed() {
        return List.of(
                named("gather with repeated rows")
                        .input("x", 4, 3)
                        .computes(o -> o.get("x").gather(o.session().index(2, 0, 2, 2, 3))),
                named("gather of three axes")
                        .input("x", 3, 2, 2)
                        .computes(o -> o.get("x").gather(o.session().index(1, 1))),
                named("scatterAdd with repeated rows")
                        .input("x", 4, 3)
                        .computes(o -> o.get("x").scatterAdd(o.session().index(1, 4, 1, 0), 5)),
                named("addAt")
                        .input("x", 5, 3)
                        .input("delta", 2, 3)
                        .computes(o -> o.get("x").addAt(o.session().index(3, 0), o.get("delta"))),
                named("repeat of equal segments")
                        .input("x", 3, 4)
                        .computes(o -> o.get("x").repeat(Slots.equal(o.session()), 0)),
                named("repeat of ragged segments, filled with 1")
                        .input("x", 4, 2)
                        .computes(o -> o.get("x").repeat(Slots.ragged(o.session()), 1)),
                named("repeat of scalars")
                        .input("x", 4)
                        .computes(o -> o.get("x").repeat(Slots.ragged(o.session()), 0)));
    }

    private static List<Operation> reductions() {
        List<Operation> cases = new ArrayList<>();
        for (Reduction reduction : Reduction.values()) {
            cases.add(named("segmentReduce " + reduction + " of equal segments")
                    .input("x", Values.DISTINCT, 9, 3)
                    .computes(o -> o.get("x").segmentReduce(Slots.equal(o.session()), reduction)));
            cases.add(named("segmentReduce " + reduction + " of ragged segments")
                    .input("x", Values.DISTINCT, 9, 2, 2)
                    .computes(o -> o.get("x").segmentReduce(Slots.ragged(o.session()), reduction)));
        }
        for (int axis = 0; axis < 3; axis++) {
            int reduced = axis;
            cases.add(named("sum over axis " + axis)
                    .input("x", 2, 3, 4)
                    .computes(o -> o.get("x").sum(reduced)));
            cases.add(named("mean over axis " + axis)
                    .input("x", 2, 3, 4)
                    .computes(o -> o.get("x").mean(reduced)));
            cases.add(named("max over axis " + axis)
                    .input("x", Values.DISTINCT, 2, 3, 4)
                    .computes(o -> o.get("x").max(reduced)));
        }
        cases.add(named("softmax of two axes")
                .input("x", 3, 5)
                .computes(o -> o.get("x").softmax()));
        cases.add(named("softmax of great scores")
                .input("x", Values.DISTINCT, 3, 5)
                .computes(o -> o.get("x").affine(4, 500).softmax()));
        cases.add(named("softmax of three axes")
                .input("x", 2, 3, 4)
                .computes(o -> o.get("x").softmax()));
        cases.add(named("segmentSoftmax of equal segments")
                .input("x", 9, 2)
                .computes(o -> o.get("x").segmentSoftmax(Slots.equal(o.session()))));
        cases.add(named("segmentSoftmax of ragged segments")
                .input("x", 9)
                .computes(o -> o.get("x").segmentSoftmax(Slots.ragged(o.session()))));
        cases.add(named("segmentSoftmax of one segment").input("x", 4, 3).computes(o -> {
            Segments all = Slots.one(o.session(), 4);
            return o.get("x").segmentSoftmax(all);
        }));
        return cases;
    }
}
