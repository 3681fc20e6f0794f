package io.peftj.testkit.operation;

import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tape;
import io.peftj.core.tensor.Tensor;
import io.peftj.core.tensor.Weight;
import io.peftj.testkit.GradientCheck;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * A use of one operation: its inputs' shapes and what is computed of them. The values come from a seed.
 *
 * <p>An input is differentiated, a constant is not, a weight is frozen.
 */
public final class Operation {
    private final String name;
    private final List<Input> inputs = new ArrayList<>();
    private final Map<String, Shape> weights = new LinkedHashMap<>();
    private Function<Operands, List<Tensor>> body = operands -> List.of();

    /** How an input's values are drawn. */
    public enum Values {
        /** From a standard normal distribution. */
        NORMAL,
        /** From ½ to 2. */
        POSITIVE,
        /** From ±¼ to ±2, away from a kink at zero. */
        AWAY_FROM_ZERO,
        /** Multiples of ⅛, no two alike, so that a maximum has no ties. */
        DISTINCT
    }

    private record Input(String name, Shape shape, Values values, boolean differentiated, boolean single) {}

    private Operation(String name) {
        this.name = name;
    }

    /** A case without inputs yet. */
    public static Operation named(String name) {
        return new Operation(name);
    }

    /** An input of normal values. */
    public Operation input(String name, int... dims) {
        return input(name, Values.NORMAL, dims);
    }

    /** An input. */
    public Operation input(String name, Values values, int... dims) {
        inputs.add(new Input(name, Shape.of(dims), values, true, false));
        return this;
    }

    /** An input that is in single precision at least, such as an adapter's parameter over a bf16 base. */
    public Operation singleInput(String name, int... dims) {
        inputs.add(new Input(name, Shape.of(dims), Values.NORMAL, true, true));
        return this;
    }

    /** A tensor that is not differentiated. */
    public Operation constant(String name, int... dims) {
        inputs.add(new Input(name, Shape.of(dims), Values.NORMAL, false, false));
        return this;
    }

    /** A positive tensor in single precision at least that is not differentiated, such as the weights of a loss. */
    public Operation singleConstant(String name, int... dims) {
        inputs.add(new Input(name, Shape.of(dims), Values.POSITIVE, false, true));
        return this;
    }

    /** A frozen matrix. */
    public Operation weight(String name, int out, int in) {
        weights.put(name, Shape.of(out, in));
        return this;
    }

    /** What is computed. */
    public Operation computes(Function<Operands, Tensor> function) {
        return computesAll(operands -> List.of(function.apply(operands)));
    }

    /** What is computed, with several results. */
    public Operation computesAll(Function<Operands, List<Tensor>> function) {
        body = function;
        return this;
    }

    /** Whether it has an input to differentiate with respect to. */
    public boolean isDifferentiated() {
        return inputs.stream().anyMatch(Input::differentiated);
    }

    /** Compares the operation's rule with finite differences, on a backend that keeps doubles. */
    public void checkGradients(Backend exact, long seed) {
        GradientCheck check = GradientCheck.on(exact, seed);
        inputs.stream()
                .filter(Input::differentiated)
                .forEach(input -> check.input(input.name(), DType.F64, values(input, seed)));
        withWeights(exact, DType.F64, seed, frozen -> {
            check.check((session, leaves) -> {
                Map<String, Tensor> tensors = new LinkedHashMap<>(leaves);
                inputs.stream()
                        .filter(input -> !input.differentiated())
                        .forEach(input -> tensors.put(input.name(), session.tensor(values(input, seed), DType.F64)));
                return body.apply(new Operands(session, DType.F64, tensors, frozen));
            });
            return null;
        });
    }

    /**
     * Runs the operation forward and backward with random cotangents.
     *
     * @return the values of "result i" and "gradient of name", in that order
     */
    public Map<String, double[]> run(Backend backend, DType dtype, long seed) {
        return backend.call(() -> withWeights(backend, dtype, seed, frozen -> {
            try (Session session = Session.open(backend);
                    Tape tape = session.startTape()) {
                Map<String, Tensor> tensors = new LinkedHashMap<>();
                Operands operands = new Operands(session, dtype, tensors, frozen);
                for (Input input : inputs) {
                    Tensor tensor = session.tensor(values(input, seed), format(input, dtype));
                    tensors.put(input.name(), input.differentiated() ? tape.leaf(tensor) : tensor);
                }
                List<Tensor> results = body.apply(operands);
                if (isDifferentiated()) {
                    tape.backward(results, cotangents(session, results, seed));
                }
                return read(tape, operands, results);
            }
        }));
    }

    private Map<String, double[]> read(Tape tape, Operands operands, List<Tensor> results) {
        Map<String, double[]> values = new LinkedHashMap<>();
        for (int i = 0; i < results.size(); i++) {
            values.put("result " + i, results.get(i).toDoubles());
        }
        for (Input input : inputs) {
            Tensor gradient = input.differentiated() ? tape.gradient(operands.get(input.name())) : null;
            if (gradient != null) {
                values.put("gradient of " + input.name(), gradient.toDoubles());
            }
        }
        return values;
    }

    private static List<Tensor> cotangents(Session session, List<Tensor> results, long seed) {
        List<Tensor> cotangents = new ArrayList<>();
        for (Tensor result : results) {
            CounterRandom random = CounterRandom.of(CounterRandom.key(seed, cotangents.size()));
            cotangents.add(session.tensor(random.normal(result.shape(), 1), result.dtype()));
        }
        return cotangents;
    }

    private <T> T withWeights(Backend backend, DType dtype, long seed, Function<Map<String, Weight>, T> task) {
        Map<String, Weight> made = new LinkedHashMap<>();
        try {
            weights.forEach((weight, shape) -> made.put(
                    weight,
                    backend.weight(
                            CounterRandom.of(CounterRandom.key(seed, weight)).normal(shape, 0.5), dtype)));
            return task.apply(made);
        } finally {
            made.values().forEach(backend::free);
        }
    }

    private static DType format(Input input, DType dtype) {
        return input.single() && dtype == DType.BF16 ? DType.F32 : dtype;
    }

    private static HostTensor values(Input input, long seed) {
        CounterRandom random = CounterRandom.of(CounterRandom.key(seed, input.name()));
        Shape shape = input.shape();
        float[] values = new float[Math.toIntExact(shape.size())];
        int[] order = random.permutation(values.length);
        for (int i = 0; i < values.length; i++) {
            values[i] = switch (input.values()) {
                case NORMAL -> (float) random.nextGaussian();
                case POSITIVE -> (float) (0.5 + 1.5 * random.nextDouble());
                case AWAY_FROM_ZERO ->
                    (float) ((0.25 + 1.75 * random.nextDouble()) * (random.nextInt(2) == 0 ? 1 : -1));
                case DISTINCT -> (order[i] - values.length / 2) / 8f;
            };
        }
        return HostTensor.of(shape, values);
    }

    @Override
    public String toString() {
        return name;
    }
}
