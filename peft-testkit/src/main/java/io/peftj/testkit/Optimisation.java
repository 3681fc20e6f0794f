package io.peftj.testkit;

import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Updates.AdamW;
import io.peftj.core.tensor.Updates.Moments;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A few optimiser steps on parameters of different shapes and settings with random gradients. */
final class Optimisation {
    private static final int STEPS = 5;
    private static final List<Shape> SHAPES = List.of(Shape.of(3, 4), Shape.of(7), Shape.SCALAR, Shape.of(2, 2, 3));
    private static final List<AdamW> SETTINGS = List.of(
            new AdamW(1e-2, 0.9, 0.999, 1e-8, 0.01),
            new AdamW(1e-1, 0.8, 0.95, 1e-4, 0),
            new AdamW(1e-3, 0.9, 0.999, 1e-8, 0.5),
            new AdamW(1e-2, 0, 0.99, 1e-6, 0.1));

    private Optimisation() {}

    /** Parameters and moments at the end, and each step's norm of the gradients. */
    static Map<String, double[]> run(Backend backend, long seed) {
        return backend.call(() -> {
            CounterRandom random = CounterRandom.of(seed);
            List<Constant> made = new ArrayList<>();
            try {
                List<Moments> parameters = new ArrayList<>();
                for (Shape shape : SHAPES) {
                    made.add(Constant.of(backend, random.normal(shape, 1), DType.F32));
                    made.add(Constant.of(backend, HostTensor.filled(shape, 0), DType.F32));
                    made.add(Constant.of(backend, HostTensor.filled(shape, 0), DType.F32));
                    int last = made.size() - 1;
                    parameters.add(new Moments(made.get(last - 2), made.get(last - 1), made.get(last)));
                }
                Map<String, double[]> values = new LinkedHashMap<>();
                values.put("norms", steps(backend, parameters, random));
                read(backend, parameters, values);
                return values;
            } finally {
                made.forEach(Constant::close);
            }
        });
    }

    private static double[] steps(Backend backend, List<Moments> parameters, CounterRandom random) {
        double[] norms = new double[STEPS];
        for (int step = 1; step <= STEPS; step++) {
            try (Session session = Session.open(backend)) {
                List<Tensor> gradients = new ArrayList<>();
                for (Shape shape : SHAPES) {
                    gradients.add(session.tensor(random.normal(shape, 2.0 / step)));
                }
                norms[step - 1] = backend.updates().norm(gradients);
                backend.updates().adamW(parameters, gradients, SETTINGS, step);
            }
        }
        return norms;
    }

    private static void read(Backend backend, List<Moments> parameters, Map<String, double[]> into) {
        try (Session session = Session.open(backend)) {
            for (int i = 0; i < parameters.size(); i++) {
                Moments moments = parameters.get(i);
                into.put("parameter " + i, session.tensor(moments.parameter()).toDoubles());
                into.put("first moment " + i, session.tensor(moments.first()).toDoubles());
                into.put("second moment " + i, session.tensor(moments.second()).toDoubles());
                into.put("versions " + i, new double[] {moments.parameter().version()});
            }
        }
    }
}
