package io.peftj.djl.engine;

import static io.peftj.djl.engine.Engines.SHARED;
import static io.peftj.djl.engine.Engines.compute;
import static io.peftj.djl.engine.Engines.random;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Updates.AdamW;
import io.peftj.core.tensor.Updates.Moments;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TorchUpdatesTest {
    private static final TorchBackend PORTABLE = TorchBackend.open(
            EngineOptions.defaults().withThreads(1), new KernelChoice(Processor.OTHER, false, false, true, false));

    static Stream<TorchBackend> backends() {
        return Stream.of(SHARED, PORTABLE);
    }

    @AfterAll
    static void closePortable() {
        PORTABLE.close();
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("backends")
    void adamWMovesEachParameterByItsOwnSettings(TorchBackend backend) {
        AdamW one = new AdamW(0.1, 0.9, 0.999, 1e-8, 0.01);
        AdamW other = new AdamW(0.02, 0.8, 0.99, 1e-6, 0);
        List<AdamW> settings = List.of(one, other, one);
        List<Shape> shapes = List.of(Shape.of(2, 3), Shape.of(5), Shape.SCALAR);
        List<Moments> moments = shapes.stream()
                .map(shape -> new Moments(constant(backend, 1, shape), zeros(backend, shape), zeros(backend, shape)))
                .toList();
        double[][][] expected = shapes.stream()
                .map(shape -> new double[][] {
                    Engines.toDoubles(random(1, shape.dims())),
                    new double[(int) shape.size()],
                    new double[(int) shape.size()]
                })
                .toArray(double[][][]::new);
        compute(backend, session -> {
            for (int step = 1; step <= 3; step++) {
                int key = step;
                List<Tensor> gradients = shapes.stream()
                        .map(shape -> session.tensor(random(key, shape.dims())))
                        .toList();
                backend.updates().adamW(moments, gradients, settings, step);
                for (int i = 0; i < shapes.size(); i++) {
                    step(expected[i], gradients.get(i).toDoubles(), settings.get(i), step);
                }
            }
            for (int i = 0; i < shapes.size(); i++) {
                assertThat(session.tensor(moments.get(i).parameter()).toDoubles())
                        .containsExactly(expected[i][0], within(1e-6));
                assertThat(moments.get(i).parameter().version()).isEqualTo(3);
                assertThat(moments.get(i).first().version()).isEqualTo(3);
            }
        });
        moments.forEach(m -> List.of(m.parameter(), m.first(), m.second()).forEach(Constant::close));
    }

    private static Constant constant(TorchBackend backend, long key, Shape shape) {
        return backend.call(() -> Constant.of(backend, random(key, shape.dims()), DType.F32));
    }

    private static Constant zeros(TorchBackend backend, Shape shape) {
        return backend.call(() -> Constant.of(backend, HostTensor.filled(shape, 0), DType.F32));
    }

    /** torch.optim.AdamW as its documentation gives it. */
    private static void step(double[][] state, double[] g, AdamW set, int step) {
        double[] p = state[0];
        double[] m = state[1];
        double[] v = state[2];
        for (int i = 0; i < p.length; i++) {
            p[i] -= set.learningRate() * set.weightDecay() * p[i];
            m[i] = set.beta1() * m[i] + (1 - set.beta1()) * g[i];
            v[i] = set.beta2() * v[i] + (1 - set.beta2()) * g[i] * g[i];
            double first = m[i] / (1 - Math.pow(set.beta1(), step));
            double second = v[i] / (1 - Math.pow(set.beta2(), step));
            p[i] -= set.learningRate() * first / (Math.sqrt(second) + set.eps());
        }
    }

    @Test
    void aGradientOfTransposedStridesIsReadAsItIs() {
        Constant parameter = constant(SHARED, 1, Shape.of(2, 3));
        Moments moments = new Moments(parameter, zeros(SHARED, Shape.of(2, 3)), zeros(SHARED, Shape.of(2, 3)));
        compute(session -> {
            double[] before = session.tensor(parameter).toDoubles();
            Tensor g = session.tensor(HostTensor.of(Shape.of(3, 2), 1, -1, 1, -1, 1, -1))
                    .transpose();
            SHARED.updates().adamW(List.of(moments), List.of(g), List.of(new AdamW(0.5, 0.9, 0.999, 0, 0)), 1);
            double[] after = session.tensor(parameter).toDoubles();
            for (int i = 0; i < 6; i++) {
                assertThat(after[i]).isCloseTo(before[i] + (i < 3 ? -0.5 : 0.5), within(1e-6));
            }
        });
        List.of(parameter, moments.first(), moments.second()).forEach(Constant::close);
    }

    @Test
    void theNormIsThatOfAllTensorsTogether() {
        compute(session -> {
            Tensor a = session.tensor(HostTensor.of(Shape.of(2), 3, 0));
            Tensor b = session.tensor(HostTensor.of(Shape.of(1, 1), 4));
            assertThat(SHARED.updates().norm(List.of(a, b))).isEqualTo(5);
            assertThat(SHARED.updates().norm(List.of())).isZero();
        });
    }

    @Test
    void gradientsMustFitTheirParameters() {
        Constant parameter = constant(SHARED, 1, Shape.of(2));
        Moments moments = new Moments(parameter, parameter, parameter);
        AdamW set = new AdamW(0.1, 0.9, 0.999, 1e-8, 0);
        compute(session -> {
            Tensor g = session.tensor(HostTensor.of(Shape.of(3), 1, 2, 3));
            assertThatThrownBy(() -> SHARED.updates().adamW(List.of(moments), List.of(g), List.of(set), 1))
                    .hasMessage("adamW: a parameter of shape [2] was given a gradient of shape [3]");
            assertThatThrownBy(() -> SHARED.updates().adamW(List.of(moments), List.of(), List.of(set), 1))
                    .hasMessageContaining("1 parameters, 0 gradients and 1 settings were given");
        });
        parameter.close();
    }
}
