package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tape;
import io.peftj.core.tensor.Tensor;
import io.peftj.testkit.GradientCheck;
import io.peftj.testkit.reference.ReferenceBackend;
import java.util.Collections;
import java.util.List;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

/** Expected numbers are PyTorch's in double precision: cross_entropy(normalize(a) @ normalize(p).T * scale, arange(3)). */
class InBatchNegativesTest {
    private static final double[] ANCHORS = {1, 2, 3, -1, 0.5, 0.25};
    private static final double[] POSITIVES = {2, 1, 1, -1, -1, 3};
    private static final List<Float> THIRDS = Collections.nCopies(3, 1 / 3f);

    @Test
    void theLossIsSentenceTransformers() {
        onTheReference((session, tape) -> {
            assertThat(loss(vectors(session, ANCHORS), vectors(session, POSITIVES), null, 20))
                    .isCloseTo(5.7799575598662285, within(1e-6));
            assertThat(loss(vectors(session, ANCHORS), vectors(session, POSITIVES), null, 2))
                    .isCloseTo(1.0973386647449683, within(1e-6));
        });
    }

    @Test
    void soAreItsGradients() {
        onTheReference((session, tape) -> {
            Tensor anchors = tape.leaf(vectors(session, ANCHORS));
            Tensor positives = tape.leaf(vectors(session, POSITIVES));
            tape.backward(InBatchNegatives.loss(
                            InBatchNegatives.unit(anchors), InBatchNegatives.unit(positives), null, THIRDS, 20)
                    .sum());
            assertThat(tape.gradient(anchors).toDoubles())
                    .usingComparatorWithPrecision(1e-6)
                    .containsExactly(
                            -0.470391725728552,
                            0.235195862864276,
                            0.017744322176939397,
                            0.053232966530818195,
                            5.279736269096141,
                            -10.559472538192278);
            assertThat(tape.gradient(positives).toDoubles())
                    .usingComparatorWithPrecision(1e-6)
                    .containsExactly(
                            0.12970116139365562,
                            -0.2594023227873101,
                            -0.034369410496420644,
                            -0.03436941049642063,
                            -1.7890477284721547,
                            -0.5963492428240516);
        });
    }

    @Test
    void aMaskedCandidateIsAsIfItWereNotThere() {
        onTheReference((session, tape) -> {
            HostTensor mask = HostTensor.of(Shape.of(3, 3), 0, -1e9f, 0, 0, 0, 0, 0, 0, 0);
            assertThat(loss(vectors(session, ANCHORS), vectors(session, POSITIVES), mask, 2))
                    .isCloseTo(1.0783561880272015, within(1e-6));
        });
    }

    @Test
    void gradientsAreThoseOfFiniteDifferences() {
        GradientCheck.on(ReferenceBackend.exact(), 3)
                .input("anchors", Shape.of(3, 2), ANCHORS)
                .input("positives", Shape.of(3, 2), POSITIVES)
                .check((session, inputs) -> List.of(InBatchNegatives.loss(
                                InBatchNegatives.unit(inputs.get("anchors")),
                                InBatchNegatives.unit(inputs.get("positives")),
                                HostTensor.of(Shape.of(3, 3), 0, 0, 0, 0, 0, -1e9f, 0, 0, 0),
                                List.of(0.5f, 0.25f, 1f),
                                3)
                        .sum()));
    }

    @Test
    void aVectorOfZerosHasNoDirectionAndIsFinite() {
        onTheReference((session, tape) -> {
            Tensor zeros = tape.leaf(vectors(session, 0, 0, 0, 0));
            Tensor unit = InBatchNegatives.unit(zeros);
            assertThat(unit.toDoubles()).containsOnly(0);
            tape.backward(unit.sum(1).sum(0));
            for (double value : tape.gradient(zeros).toDoubles()) {
                assertThat(value).isFinite();
            }
        });
    }

    private static double loss(Tensor anchors, Tensor positives, HostTensor mask, double scale) {
        return InBatchNegatives.loss(
                        InBatchNegatives.unit(anchors), InBatchNegatives.unit(positives), mask, THIRDS, scale)
                .sum()
                .toDoubles()[0];
    }

    private static Tensor vectors(Session session, double... values) {
        return session.tensor(values, Shape.of(values.length / 2, 2));
    }

    private static void onTheReference(BiConsumer<Session, Tape> test) {
        ReferenceBackend backend = ReferenceBackend.exact();
        backend.call(() -> {
            try (Session session = Session.open(backend);
                    Tape tape = session.startTape()) {
                test.accept(session, tape);
            }
            return null;
        });
        assertThat(backend.memory().liveBytes()).isZero();
    }
}
