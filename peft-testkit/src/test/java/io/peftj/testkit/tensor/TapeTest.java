package io.peftj.testkit.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Scope;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tape;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Updates.AdamW;
import io.peftj.core.tensor.Updates.Moments;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class TapeTest extends ReferenceSession {
    @Test
    void valueUsedSeveralTimesGetsTheSumOfItsGradients() {
        try (Tape tape = session.startTape()) {
            Tensor x = tape.leaf(vector(2, -3));
            Tensor y = x.times(x).plus(x.affine(5, 0)).minus(x);
            tape.backward(y.sum(0));
            assertThat(tape.gradient(x).toDoubles()).containsExactly(8, -2);
        }
    }

    @Test
    void leafOnWhichNothingDependsHasNoGradient() {
        try (Tape tape = session.startTape()) {
            Tensor x = tape.leaf(vector(2));
            Tensor unused = tape.leaf(vector(1));
            Tensor lost = unused.exp(); // noted, but nobody reads it
            tape.backward(x.sum(0));
            assertThat(tape.gradient(unused)).isNull();
            assertThat(lost.toDoubles()).containsExactly(Math.E);
        }
    }

    @Test
    void detachedValuesPassNothingOn() {
        try (Tape tape = session.startTape()) {
            Tensor x = tape.leaf(vector(2, 3));
            tape.backward(x.times(x.detach()).sum(0));
            assertThat(tape.gradient(x).toDoubles()).containsExactly(2, 3);
        }
    }

    @Test
    void leafCanBeItsOwnResult() {
        try (Tape tape = session.startTape()) {
            Tensor x = tape.leaf(vector(2));
            tape.backward(x);
            assertThat(tape.gradient(x).toDoubles()).containsExactly(1);
        }
    }

    @Test
    void oneValueMayBeTwoLeaves() {
        try (Tape tape = session.startTape()) {
            Tensor value = vector(2);
            Tensor a = tape.leaf(value);
            Tensor b = tape.leaf(value);
            tape.backward(a.times(b).plus(a));
            assertThat(tape.gradient(a).toDoubles()).containsExactly(3);
            assertThat(tape.gradient(b).toDoubles()).containsExactly(2);
        }
    }

    @Test
    void severalValuesAreDifferentiatedWithACotangentEach() {
        try (Tape tape = session.startTape()) {
            Tensor x = tape.leaf(vector(2, 3));
            Tensor constant = vector(7);
            tape.backward(
                    List.of(x.times(x), x, constant, x.sum(0)),
                    List.of(
                            vector(1, 10),
                            vector(100, 100),
                            vector(5),
                            session.tensor(new double[] {-1}, Shape.SCALAR)));
            assertThat(tape.gradient(x).toDoubles()).containsExactly(103, 159);
        }
    }

    @Test
    void cotangentsHaveTheirValuesFormat() {
        try (Tape tape = session.startTape()) {
            Tensor x = tape.leaf(vector(2, 3).cast(DType.BF16));
            tape.backward(x.cast(DType.F32).sum(0));
            assertThat(tape.gradient(x).dtype()).isEqualTo(DType.BF16);
        }
    }

    /** As effective parameters are made of stored ones once a step, and used in several micro-batches. */
    @Test
    void gradientsOfAnInnerTapeAreCotangentsOfAnOuterOne() {
        try (Tape outer = session.startTape()) {
            Tensor stored = outer.leaf(vector(2, 3));
            Tensor effective = stored.times(stored);
            Tensor sum = zeros(2);
            for (int batch = 1; batch <= 2; batch++) {
                try (Tape inner = session.startTape()) {
                    Tensor leaf = inner.leaf(effective);
                    inner.backward(leaf.affine(batch, 0).sum(0));
                    sum = sum.plus(inner.gradient(leaf));
                }
            }
            outer.backward(List.of(effective), List.of(sum));
            assertThat(outer.gradient(stored).toDoubles()).containsExactly(12, 18);
        }
    }

    @Test
    void refusesToDifferentiateWhatDependsOnNoLeaf() {
        try (Tape tape = session.startTape()) {
            tape.leaf(vector(1));
            Tensor y = vector(2).exp();
            assertThatThrownBy(() -> tape.backward(y))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("backward: the value depends on no leaf of this tape");
        }
    }

    @Test
    void refusesWhatIsNoScalar() {
        try (Tape tape = session.startTape()) {
            Tensor x = tape.leaf(vector(1, 2));
            assertThatThrownBy(() -> tape.backward(x))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("backward needs a scalar, found shape [2]; reduce it first");
        }
    }

    @Test
    void refusesCotangentsThatDoNotFit() {
        try (Tape tape = session.startTape()) {
            Tensor x = tape.leaf(vector(1, 2));
            assertThatThrownBy(() -> tape.backward(List.of(x), List.of(vector(1))))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("backward: the cotangent of Tensor[2] F64 should be like it, found Tensor[1] F64");
            assertThatThrownBy(
                            () -> tape.backward(List.of(x), List.of(vector(1, 1).cast(DType.F32))))
                    .hasMessage("backward: the cotangent of Tensor[2] F64 should be like it, found Tensor[2] F32");
            assertThatThrownBy(() -> tape.backward(List.of(x), List.of()))
                    .hasMessage("backward: 1 values need as many cotangents, found 0");
        }
    }

    @Test
    void isUsedOnce() {
        try (Tape tape = session.startTape()) {
            Tensor x = tape.leaf(vector(1));
            Tensor y = x.exp();
            tape.backward(y);
            assertThatThrownBy(() -> tape.backward(y))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("backward: the tape was used already; note the operations again");
            assertThatThrownBy(x::exp)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("exp: the tape was used already; start another");
            assertThatThrownBy(() -> tape.leaf(x))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("leaf: the tape was used already; start another");
        }
    }

    @Test
    void givesGradientsOfLeavesOnlyAndOnlyWhileOpen() {
        Tape tape = session.startTape();
        Tensor x = tape.leaf(vector(1));
        Tensor y = x.exp();
        tape.backward(y);
        for (Tensor other : List.of(y, vector(1))) {
            assertThatThrownBy(() -> tape.gradient(other))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("gradient: the tensor is no leaf of this tape");
        }
        tape.close();
        assertThatThrownBy(() -> tape.gradient(x))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("gradient: the tape is closed and its gradients are freed; keep them before");
    }

    @Test
    void keptGradientOutlivesItsTape() {
        try (Scope scope = session.scope()) {
            Tensor gradient;
            try (Tape tape = session.startTape()) {
                Tensor x = tape.leaf(vector(3));
                tape.backward(x.times(x));
                gradient = scope.keep(tape.gradient(x));
            }
            assertThat(gradient.toDoubles()).containsExactly(6);
        }
    }

    @Test
    void noticesAParameterThatChangedBeforeItsUse() {
        List<UnaryOperator<Tensor>> uses = List.of(
                p -> p.times(p),
                p -> p.reshape(2, 1).times(p.reshape(2, 1)),
                p -> p.slice(0, 0, 1).exp().times(p.slice(0, 1, 2)),
                p -> p.split(0, 1, 1).get(0).times(p.split(0, 1, 1).get(1)),
                p -> p.reshape(2, 1).permute(1, 0).times(p));
        for (UnaryOperator<Tensor> use : uses) {
            try (Constant parameter = constant(1, 2);
                    Tape tape = session.startTape()) {
                Tensor y = use.apply(tape.leaf(session.tensor(parameter)));
                update(parameter);
                Tensor sum = y.sumTo(Shape.SCALAR);
                assertThatThrownBy(() -> tape.backward(sum))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageMatching("backward of \\w+: a parameter of shape \\[[\\d, ]+] was changed after the "
                                + "operation read it; differentiate before the update");
            }
        }
    }

    @Test
    void noticesAFrozenConstantThatChanged() {
        try (Constant norm = constant(1, 2);
                Tape tape = session.startTape()) {
            Tensor x = tape.leaf(matrix(1, 3, 4));
            Tensor y = x.rmsNorm(session.tensor(norm), 1e-6).sumTo(Shape.SCALAR);
            update(norm);
            assertThatThrownBy(() -> tape.backward(y))
                    .hasMessage("backward of rmsNorm: a parameter of shape [2] was changed after the operation read "
                            + "it; differentiate before the update");
        }
    }

    @Test
    void differentiatesAgainAfterAnUpdate() {
        try (Constant parameter = constant(1, 2)) {
            update(parameter);
            try (Tape tape = session.startTape()) {
                Tensor p = tape.leaf(session.tensor(parameter));
                tape.backward(p.times(p).sum(0));
                assertThat(tape.gradient(p).toDoubles()).containsExactly(new double[] {2 * 0.9, 2 * 1.9}, within(1e-6));
            }
        }
    }

    /** A step of ±0.1 in each element. */
    private void update(Constant parameter) {
        try (Constant first = constant(0, 0);
                Constant second = constant(0, 0)) {
            backend.updates()
                    .adamW(
                            List.of(new Moments(parameter, first, second)),
                            List.of(vector(1, 1)),
                            List.of(new AdamW(0.1, 0.9, 0.999, 0, 0)),
                            1);
        }
    }

    @Test
    void keepsOnlyWhatRulesNeed() {
        try (Tape tape = session.startTape()) {
            Tensor small = tape.leaf(vector(1, 2));
            long before = backend.memory().liveBytes();
            try (Scope scope = session.scope()) {
                Tensor factor = session.zeros(Shape.of(100, 2), DType.F64);
                scope.keep(small.times(factor)
                        .affine(2, 1)
                        .plus(factor)
                        .reshape(200)
                        .sum(0));
            }
            // The frozen factor, for the trained one's gradient, and the result.
            assertThat(backend.memory().liveBytes() - before).isEqualTo(200 * 8 + 8);
        }
    }

    @Test
    void savesACopyOfASmallViewRatherThanItsWholeStorage() {
        try (Tape tape = session.startTape()) {
            Tensor x = tape.leaf(vector(1, 2));
            long before = backend.memory().liveBytes();
            try (Scope scope = session.scope()) {
                scope.keep(x.times(session.zeros(Shape.of(100, 2), DType.F64).slice(0, 7, 8)));
            }
            assertThat(backend.memory().liveBytes() - before).isEqualTo(2 * 8 + 2 * 8);
        }
    }

    @Test
    void backwardFreesWhatWasSavedAsItGoes() {
        try (Tape tape = session.startTape()) {
            Tensor x = tape.leaf(vector(1, 2));
            long before = backend.memory().liveBytes();
            try (Scope scope = session.scope()) {
                Tensor y = x;
                for (int i = 0; i < 10; i++) {
                    y = y.sigmoid();
                }
                Tensor loss = scope.keep(y.sum(0));
                assertThat(loss.shape()).isEqualTo(Shape.SCALAR);
                tape.backward(loss);
            }
            // The loss and the leaf's gradient.
            assertThat(backend.memory().liveBytes() - before).isEqualTo(8 + 2 * 8);
        }
    }

    @Test
    void tapesAreClosedInReverseAndAMistakeLeaksNothing() {
        Tape first = session.startTape();
        Tape second = session.startTape();
        second.leaf(vector(1)).exp();
        assertThatThrownBy(first::close)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("tapes are closed in the reverse order of their opening");
        session.close();
        assertThat(backend.memory().liveBytes()).isZero();
    }

    @Test
    void backwardStopsWhenCancelled() {
        AtomicBoolean cancelled = new AtomicBoolean();
        try (Session cancellable = Session.open(backend, cancelled::get);
                Tape tape = cancellable.startTape()) {
            Tensor x = tape.leaf(cancellable.tensor(HostTensor.of(Shape.of(1), 2)));
            Tensor y = x.exp();
            cancelled.set(true);
            assertThatThrownBy(() -> tape.backward(y))
                    .isInstanceOf(CancellationException.class)
                    .hasMessage("the computation was cancelled");
        }
    }

    @Test
    void backwardAsksAtItsStartAndWhereLayersBegan() {
        AtomicInteger asked = new AtomicInteger();
        try (Session layered = Session.open(backend, () -> asked.incrementAndGet() > 100);
                Tape tape = layered.startTape()) {
            Tensor y = tape.leaf(layered.tensor(HostTensor.of(Shape.of(1), 0.1f)));
            for (int layer = 0; layer < 3; layer++) {
                layered.checkCancelled();
                y = y.exp().times(y);
            }
            assertThat(asked.getAndSet(0)).isEqualTo(3);
            tape.backward(y);
            assertThat(asked.get()).isEqualTo(1 + 3);
        }
    }
}
