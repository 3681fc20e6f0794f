package io.peftj.testkit.contract;

import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.run.Derivation;
import io.peftj.core.run.Run;
import io.peftj.core.run.Training;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.LinearAlgebra;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import io.peftj.testkit.GradientCheck;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Compares an adapter's gradients through a whole model with finite differences: some elements of each parameter, and all parameters at once along
 * random directions.
 *
 * <p>A direction is one more input: the numbers t in value + Σ t·direction, which stand at 0.
 */
final class ModelGradientCheck {
    private static final int ELEMENTS = 4;
    private static final int DIRECTIONS = 3;
    private static final double TOLERANCE = 1e-6;

    private ModelGradientCheck() {}

    /** Dropout is on, since a step draws the same each time. What gradients take for constant is held where it is at first. */
    static void run(Subject adapter, List<TestRow> rows, long seed) {
        GradientCheck check = GradientCheck.on(adapter.model().backend(), seed)
                .elementsPerInput(ELEMENTS)
                .within(TOLERANCE);
        for (ParameterSpec parameter : adapter.plan().raw()) {
            check.input(parameter.name(), DType.F32, adapter.value(parameter.name()));
        }
        for (int d = 0; d < DIRECTIONS; d++) {
            check.input(direction(d), DType.F32, HostTensor.filled(Shape.SCALAR, 0));
        }
        HoldingStill derivation = new HoldingStill(new Derivation(adapter.model()), new HashMap<>());
        check.check((session, inputs) -> {
            Map<String, Tensor> values = moved(session, adapter, inputs, seed);
            Run run = new Run(
                    session,
                    Rows.batch(
                            session, adapter.model(), adapter.on(rows), same -> Rows.active(same, values, derivation)),
                    new Training(seed, 1));
            List<Tensor> results = new ArrayList<>(adapter.model().logits(run));
            results.add(adapter.model().loss(run));
            return results;
        });
    }

    /** Holds what gradients take for constant at the value that it has the first time, for any number of sessions. */
    private record HoldingStill(DeriveContext model, Map<String, double[]> first) implements DeriveContext {
        @Override
        public Weight weight(String parameter) {
            return model.weight(parameter);
        }

        @Override
        public boolean hasBase(String parameter) {
            return model.hasBase(parameter);
        }

        @Override
        public HostTensor base(String parameter) {
            return model.base(parameter);
        }

        @Override
        public LinearAlgebra linearAlgebra() {
            return model.linearAlgebra();
        }

        @Override
        public HostTensor once(String name, Supplier<HostTensor> make) {
            return model.once(name, make);
        }

        @Override
        public Tensor constant(String name, Tensor value) {
            double[] still = first.computeIfAbsent(name, key -> value.toDoubles());
            return value.session().tensor(still, value.shape()).cast(value.dtype());
        }
    }

    private static Map<String, Tensor> moved(Session session, Subject adapter, Map<String, Tensor> inputs, long seed) {
        // Of length 1 about, so that a step along a direction stays as small as one along an axis.
        double deviation = 1 / Math.sqrt((double) adapter.plan().trainableCount());
        Map<String, Tensor> moved = new LinkedHashMap<>();
        for (ParameterSpec parameter : adapter.plan().raw()) {
            Tensor value = Rows.of(inputs, parameter.name());
            for (int d = 0; d < DIRECTIONS; d++) {
                long key = CounterRandom.key(CounterRandom.key(seed, direction(d)), parameter.name());
                Tensor way = session.tensor(CounterRandom.of(key).normal(parameter.shape(), deviation));
                value = value.plus(way.times(Rows.of(inputs, direction(d))));
            }
            moved.put(parameter.name(), value);
        }
        return moved;
    }

    private static String direction(int number) {
        return "direction " + number;
    }
}
