package io.peftj.testkit.contract;

import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.run.ActiveAdapter;
import io.peftj.core.run.Batch;
import io.peftj.core.run.BoundPlan;
import io.peftj.core.run.Derivation;
import io.peftj.core.run.Row;
import io.peftj.core.run.Run;
import io.peftj.core.run.Stack;
import io.peftj.core.run.Training;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Tape;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Runs rows through a model: what comes out stands in the caller's order, as plain arrays. */
final class Rows {
    private Rows() {}

    /** Each row's logits, in inference or with a training's dropout. */
    static List<double[]> logits(ContractModel model, List<TestRow> rows, @Nullable Training training) {
        return inSession(model, session -> {
            Batch batch = batch(session, model, rows, subject -> active(session, subject));
            return inCallersOrder(batch, model.logits(new Run(session, batch, training)));
        });
    }

    /** The rows' summed loss differentiated by every raw parameter: gradients by the adapter's name and the parameter's. */
    static Map<String, Map<String, double[]>> gradients(
            ContractModel model, List<TestRow> rows, @Nullable Training training) {
        return gradientsOf(model, rows, (session, batch) -> new Run(session, batch, training));
    }

    /** The same of another way to run. */
    static Map<String, Map<String, double[]>> gradientsOf(
            ContractModel model, List<TestRow> rows, BiFunction<Session, Batch, Run> runs) {
        return inSession(model, session -> {
            try (Tape tape = session.startTape()) {
                Map<String, Map<String, Tensor>> leaves = new LinkedHashMap<>();
                Batch batch = batch(session, model, rows, subject -> {
                    Map<String, Tensor> raw = leavesOf(tape, subject.tensors(session));
                    leaves.put(subject.name(), raw);
                    return active(subject, raw);
                });
                tape.backward(model.loss(runs.apply(session, batch)));
                Map<String, Map<String, double[]>> gradients = new LinkedHashMap<>();
                leaves.forEach((adapter, raw) -> gradients.put(adapter, read(tape, raw)));
                return gradients;
            }
        });
    }

    static Map<String, Tensor> leavesOf(Tape tape, Map<String, Tensor> values) {
        Map<String, Tensor> leaves = new LinkedHashMap<>();
        values.forEach((name, value) -> leaves.put(name, tape.leaf(value)));
        return leaves;
    }

    private static Map<String, double[]> read(Tape tape, Map<String, Tensor> leaves) {
        Map<String, double[]> gradients = new LinkedHashMap<>();
        leaves.forEach((name, leaf) -> {
            Tensor gradient = tape.gradient(leaf);
            int size = Math.toIntExact(leaf.shape().size());
            gradients.put(name, gradient == null ? new double[size] : gradient.toDoubles());
        });
        return gradients;
    }

    private static ActiveAdapter active(Session session, Subject subject) {
        return active(subject, subject.tensors(session));
    }

    /** An adapter with given raw or stored parameters. */
    static ActiveAdapter active(Subject subject, Map<String, Tensor> parameters) {
        return active(subject, parameters, new Derivation(subject.model()));
    }

    /** An adapter with given raw or stored parameters and effective ones derived in a context. */
    static ActiveAdapter active(Subject subject, Map<String, Tensor> parameters, DeriveContext context) {
        return new ActiveAdapter(
                subject.name(), new BoundPlan(subject.plan()), subject.plan().derive(parameters, context));
    }

    /** Lays rows out; an adapter on several rows is made once. */
    static Batch batch(
            Session session, ContractModel model, List<TestRow> rows, Function<Subject, ActiveAdapter> adapters) {
        Map<Subject, ActiveAdapter> known = new HashMap<>();
        List<Row> laidOut = new ArrayList<>();
        for (TestRow row : rows) {
            List<ActiveAdapter> stack = row.stack().stream()
                    .map(subject -> known.computeIfAbsent(subject, adapters))
                    .toList();
            laidOut.add(Row.of(new Stack(stack), row.example(), row.tokens()).prompted(row.prompt(model)));
        }
        return Batch.of(session, model.spec(), laidOut);
    }

    static List<double[]> inCallersOrder(Batch batch, List<Tensor> ofRows) {
        double[][] values = new double[ofRows.size()][];
        for (int row = 0; row < values.length; row++) {
            values[batch.callersRow(row)] = ofRows.get(row).toDoubles();
        }
        return Arrays.asList(values);
    }

    /** A value that must be there. */
    static <T> T of(Map<String, T> values, String name) {
        return Objects.requireNonNull(values.get(name), name);
    }

    static <T> T inSession(ContractModel model, Function<Session, T> body) {
        return model.backend().call(() -> {
            try (Session session = Session.open(model.backend())) {
                return body.apply(session);
            }
        });
    }
}
