package io.peftj.djl.engine;

import static io.peftj.djl.engine.Engines.SHARED;
import static io.peftj.djl.engine.Engines.checkGradients;
import static io.peftj.djl.engine.Engines.compute;
import static io.peftj.djl.engine.Engines.randomTensor;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.tensor.AttentionPrefix;
import io.peftj.core.tensor.CacheLayout;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Layout;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tape;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class AttentionKernelsTest {
    private static final int HEADS = 4;
    private static final int WIDTH = 8;
    private static final double SCALE = 0.3;

    /** As on a device without the fused kernel. */
    private static final TorchBackend PORTABLE = TorchBackend.open(
            EngineOptions.defaults().withThreads(1), new KernelChoice(Processor.OTHER, false, false, false, false));

    @AfterAll
    static void closePortable() {
        PORTABLE.close();
    }

    /** Lengths of rows, heads of keys, whether causal, lengths of prefixes: each acts on a row of its own, the last on all that are left. */
    record Case(List<Integer> rows, int kv, boolean causal, List<Integer> prefixes) {
        int tokens() {
            return rows.stream().mapToInt(Integer::intValue).sum();
        }

        Layout layout(Session session) {
            return Layout.of(session, rows.stream().mapToInt(Integer::intValue).toArray());
        }

        int begin(int prefix) {
            return rows.stream().limit(prefix).mapToInt(Integer::intValue).sum();
        }

        int end(int prefix) {
            return prefix < prefixes.size() - 1 ? begin(prefix + 1) : tokens();
        }

        Tensor attend(List<Tensor> inputs) {
            List<AttentionPrefix> seen = new ArrayList<>();
            for (int i = 0; i < prefixes.size(); i++) {
                seen.add(new AttentionPrefix(begin(i), end(i), inputs.get(3 + 2 * i), inputs.get(4 + 2 * i)));
            }
            Session session = inputs.get(0).session();
            return inputs.get(0).attention(inputs.get(1), inputs.get(2), layout(session), causal, SCALE, seen);
        }

        Shape[] shapes() {
            List<Shape> shapes = new ArrayList<>(List.of(
                    Shape.of(tokens(), HEADS, WIDTH), Shape.of(tokens(), kv, WIDTH), Shape.of(tokens(), kv, WIDTH)));
            for (int length : prefixes) {
                shapes.add(Shape.of(length, kv, WIDTH));
                shapes.add(Shape.of(length, kv, WIDTH));
            }
            return shapes.toArray(Shape[]::new);
        }

        List<Tensor> inputs(Session session, DType dtype) {
            List<Tensor> inputs = new ArrayList<>();
            for (Shape shape : shapes()) {
                inputs.add(randomTensor(session, dtype, 100 + inputs.size(), shape.dims()));
            }
            return inputs;
        }
    }

    static Stream<Arguments> cases() {
        List<Case> cases = new ArrayList<>();
        for (int kv : new int[] {1, 2, 4}) {
            for (boolean causal : new boolean[] {false, true}) {
                for (List<Integer> rows : List.of(List.of(3, 3), List.of(2, 4, 4, 1))) {
                    for (List<Integer> prefixes : List.of(List.<Integer>of(), List.of(3), List.of(2, 5))) {
                        cases.add(new Case(rows, kv, causal, prefixes));
                    }
                }
                cases.add(new Case(List.of(1, 1, 1, 1, 3), kv, causal, List.of(2, 2, 5, 5, 4)));
                cases.add(new Case(List.of(1, 1, 2, 1), kv, causal, List.of(3, 3, 3, 3)));
            }
        }
        return cases.stream().map(Arguments::of);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void isTheSoftmaxOverARowsKeysAndItsPrefix(Case attention) {
        compute(session -> {
            List<Tensor> inputs = attention.inputs(session, DType.F64);
            assertThat(attention.attend(inputs).toDoubles())
                    .containsExactly(expected(attention, inputs), within(1e-13));
        });
    }

    private static double[] expected(Case attention, List<Tensor> inputs) {
        List<double[]> values = inputs.stream().map(Tensor::toDoubles).toList();
        double[] out = new double[attention.tokens() * HEADS * WIDTH];
        int begin = 0;
        for (int length : attention.rows()) {
            for (int token = begin; token < begin + length; token++) {
                for (int head = 0; head < HEADS; head++) {
                    attendOne(attention, values, token, begin, begin + length, head, out);
                }
            }
            begin += length;
        }
        return out;
    }

    private static void attendOne(
            Case attention, List<double[]> values, int token, int begin, int end, int head, double[] out) {
        int kv = attention.kv();
        int keyHead = head / (HEADS / kv);
        double sum = 0;
        double[] mixed = new double[WIDTH];
        int last = attention.causal() ? token + 1 : end;
        for (int key = begin; key < last; key++) {
            sum += add(values.get(0), values.get(1), values.get(2), token, key, head, keyHead, kv, mixed);
        }
        for (int prefix = 0; prefix < attention.prefixes().size(); prefix++) {
            if (token >= attention.begin(prefix) && token < attention.end(prefix)) {
                for (int key = 0; key < attention.prefixes().get(prefix); key++) {
                    double[] keys = values.get(3 + 2 * prefix);
                    double[] vs = values.get(4 + 2 * prefix);
                    sum += add(values.get(0), keys, vs, token, key, head, keyHead, kv, mixed);
                }
            }
        }
        for (int i = 0; i < WIDTH; i++) {
            out[(token * HEADS + head) * WIDTH + i] = mixed[i] / sum;
        }
    }

    private static double add(
            double[] q, double[] k, double[] v, int token, int key, int head, int keyHead, int kv, double[] mixed) {
        double score = 0;
        for (int i = 0; i < WIDTH; i++) {
            score += q[(token * HEADS + head) * WIDTH + i] * k[(key * kv + keyHead) * WIDTH + i];
        }
        double weight = Math.exp(score * SCALE);
        for (int i = 0; i < WIDTH; i++) {
            mixed[i] += weight * v[(key * kv + keyHead) * WIDTH + i];
        }
        return weight;
    }

    @Test
    void gradientsMatchFiniteDifferences() {
        for (int kv : new int[] {1, 2, 4}) {
            Case attention = new Case(List.of(2, 1), kv, true, List.of(2, 1));
            checkGradients(attention::attend, attention.shapes());
        }
        Case plain = new Case(List.of(2, 2), HEADS, false, List.of());
        checkGradients(plain::attend, plain.shapes());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void everyFormatAndKernelGivesTheSameGradients(Case attention) {
        List<double[]> exact = gradients(SHARED, attention, DType.F64);
        assertAlike(gradients(PORTABLE, attention, DType.F64), exact, 1e-12);
        assertAlike(gradients(SHARED, attention, DType.F32), exact, 1e-5);
        assertAlike(gradients(PORTABLE, attention, DType.F32), exact, 1e-5);
        assertAlike(gradients(SHARED, attention, DType.BF16), exact, 0.05);
        assertAlike(gradients(PORTABLE, attention, DType.BF16), exact, 0.05);
    }

    private static void assertAlike(List<double[]> found, List<double[]> expected, double tolerance) {
        for (int i = 0; i < expected.size(); i++) {
            double largest = java.util.Arrays.stream(expected.get(i))
                    .map(Math::abs)
                    .max()
                    .orElse(0);
            assertThat(found.get(i)).as("tensor %d", i).containsExactly(expected.get(i), within(tolerance * largest));
        }
    }

    /** The output and the gradients of all inputs. */
    private static List<double[]> gradients(TorchBackend backend, Case attention, DType dtype) {
        List<double[]> results = new ArrayList<>();
        compute(backend, session -> {
            try (Tape tape = session.startTape()) {
                List<Tensor> leaves = attention.inputs(session, dtype).stream()
                        .map(tape::leaf)
                        .toList();
                Tensor out = attention.attend(leaves);
                results.add(out.toDoubles());
                Tensor g = randomTensor(session, dtype, 9, out.shape().dims());
                tape.backward(List.of(out), List.of(g));
                leaves.forEach(leaf -> results.add(tape.gradient(leaf).toDoubles()));
            }
        });
        return results;
    }

    private static CacheLayout.Run token(int begin, int slot, int before) {
        return new CacheLayout.Run(begin, 1, 1, slot, before);
    }

    @Test
    void singleTokensShareACallWhileTheyReadLittleInVain() {
        List<CacheLayout.Run> runs = List.of(
                new CacheLayout.Run(0, 2, 1, 0, 9),
                token(2, 2, 12),
                token(3, 3, 40),
                token(4, 5, 40),
                new CacheLayout.Run(5, 1, 3, 6, 2),
                token(8, 7, 2));
        assertThat(AttentionKernels.blocks(runs, 6))
                .as("6 keys in vain for a call less; with slot 3 it would be 90 for two; slot 4 is missing")
                .containsExactly(
                        0, 3, 1, 0, 12, 9, 3, 1, 1, 3, 40, 40, 4, 1, 1, 5, 40, 40, 5, 1, 3, 6, 2, 2, 8, 1, 1, 7, 2, 2);
        assertThat(AttentionKernels.blocks(runs.subList(0, 3), 45))
                .as("90 keys in vain for two calls less")
                .containsExactly(0, 4, 1, 0, 40, 9);
        assertThat(AttentionKernels.blocks(runs.subList(0, 3), 44)).hasSize(12);
        assertThat(AttentionKernels.blocks(runs.subList(0, 2), 5)).hasSize(12);
    }

    @Test
    void headsOfAFusedProjectionAreReadWhereTheyLie() {
        compute(session -> {
            Layout layout = Layout.of(session, 3, 2);
            Tensor fused = randomTensor(session, DType.F32, 1, 5, 3 * HEADS * WIDTH);
            List<Tensor> parts = fused.split(1, HEADS * WIDTH, HEADS * WIDTH, HEADS * WIDTH).stream()
                    .map(part -> part.reshape(5, HEADS, WIDTH))
                    .toList();
            List<Tensor> copies =
                    parts.stream().map(part -> session.tensor(part.toHost())).toList();
            double[] fromViews = parts.get(0)
                    .attention(parts.get(1), parts.get(2), layout, true, SCALE, List.of())
                    .toDoubles();
            double[] fromCopies = copies.get(0)
                    .attention(copies.get(1), copies.get(2), layout, true, SCALE, List.of())
                    .toDoubles();
            assertThat(fromViews).containsExactly(fromCopies);
        });
    }

    @Test
    void gradientsOfAFusedProjectionsPartsLieSideBySide() {
        compute(session -> {
            Layout layout = Layout.of(session, 3, 2);
            try (Tape tape = session.startTape()) {
                Tensor fused = tape.leaf(randomTensor(session, DType.F32, 1, 5, 3 * HEADS * WIDTH));
                List<Tensor> parts = fused.split(1, HEADS * WIDTH, HEADS * WIDTH, HEADS * WIDTH).stream()
                        .map(part -> part.reshape(5, HEADS, WIDTH))
                        .toList();
                Tensor out = parts.get(0).attention(parts.get(1), parts.get(2), layout, true, SCALE, List.of());
                tape.backward(List.of(out), List.of(out.detach()));
                Tensor gradient = tape.gradient(fused);
                assertThat(gradient.buffer().storage()).isNotSameAs(gradient.buffer());
                assertThat(gradient.buffer().storageBytes())
                        .isEqualTo(4 * gradient.shape().size());
            }
        });
    }
}
