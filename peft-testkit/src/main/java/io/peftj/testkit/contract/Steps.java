package io.peftj.testkit.contract;

import io.peftj.core.run.Batch;
import io.peftj.core.run.Run;
import io.peftj.core.run.Training;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.Constant;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tape;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Updates.AdamW;
import io.peftj.core.tensor.Updates.Moments;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Trains an adapter for a few steps of AdamW. */
final class Steps {
    private static final AdamW SETTINGS = new AdamW(1e-2, 0.9, 0.999, 1e-8, 0);

    private Steps() {}

    /** The adapter after some steps on rows of tokens. */
    static Subject take(int steps, Subject start, List<TestRow> rows) {
        Backend backend = start.model().backend();
        return backend.call(() -> {
            Map<String, Moments> parameters = new LinkedHashMap<>();
            try {
                start.values().forEach((name, value) -> parameters.put(name, moments(backend, value)));
                for (int step = 1; step <= steps; step++) {
                    take(step, start, parameters, rows);
                }
                Map<String, HostTensor> values = new LinkedHashMap<>();
                parameters.forEach((name, moments) -> values.put(name, read(backend, moments.parameter())));
                return start.with(values);
            } finally {
                parameters.values().forEach(moments -> {
                    moments.parameter().close();
                    moments.first().close();
                    moments.second().close();
                });
            }
        });
    }

    private static void take(int step, Subject subject, Map<String, Moments> parameters, List<TestRow> rows) {
        ContractModel model = subject.model();
        try (Session session = Session.open(model.backend());
                Tape tape = session.startTape()) {
            Map<String, Tensor> values = new LinkedHashMap<>();
            parameters.forEach((name, moments) -> values.put(name, session.tensor(moments.parameter())));
            Map<String, Tensor> leaves = Rows.leavesOf(tape, values);
            Batch batch = Rows.batch(session, model, subject.on(rows), same -> Rows.active(same, leaves));
            tape.backward(model.loss(new Run(session, batch, new Training(1, step))));
            List<Moments> reached = new ArrayList<>();
            List<Tensor> gradients = new ArrayList<>();
            leaves.forEach((name, leaf) -> {
                Tensor gradient = tape.gradient(leaf);
                if (gradient != null) {
                    reached.add(parameters.get(name));
                    gradients.add(gradient);
                }
            });
            model.backend().updates().adamW(reached, gradients, Collections.nCopies(reached.size(), SETTINGS), step);
        }
    }

    private static Moments moments(Backend backend, HostTensor value) {
        return new Moments(
                Constant.of(backend, value, DType.F32), zeros(backend, value.shape()), zeros(backend, value.shape()));
    }

    private static Constant zeros(Backend backend, Shape shape) {
        return Constant.of(backend, HostTensor.filled(shape, 0), DType.F32);
    }

    private static HostTensor read(Backend backend, Constant constant) {
        return HostTensor.of(constant.shape(), backend.kernels().readFloats(constant.buffer()));
    }
}
