package io.peftj.testkit;

import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Session;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tape;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Compares the tape's gradients with central finite differences.
 *
 * <p>What is differentiated is Σ r·y over all elements y of all results, with fixed random numbers r, so that every result's cotangent is tested. It
 * needs a backend that keeps full doubles whatever a format says: {@link io.peftj.testkit.reference.ReferenceBackend#exact()}. A failure
 * names the seed, the input and the element.
 */
public final class GradientCheck {
    private static final double STEP = 1e-5;
    /** An error counts relative to the largest gradient of its input, or to this where all are smaller. */
    private static final double SMALLEST_SCALE = 1e-2;

    private final Backend backend;
    private final long seed;
    private final List<Input> inputs = new ArrayList<>();
    private int elementsPerInput = Integer.MAX_VALUE;
    private double tolerance = 1e-7;

    /** Where an input begins. */
    private static final class Input {
        final String name;
        final DType dtype;
        final Shape shape;
        final double[] start;

        Input(String name, DType dtype, Shape shape, double[] start) {
            this.name = name;
            this.dtype = dtype;
            this.shape = shape;
            this.start = start;
        }
    }

    private GradientCheck(Backend backend, long seed) {
        this.backend = backend;
        this.seed = seed;
    }

    /**
     * A check without inputs yet.
     *
     * @param seed of the numbers r and of the choice of elements; failures name it
     */
    public static GradientCheck on(Backend backend, long seed) {
        return new GradientCheck(backend, seed);
    }

    /** An input to differentiate with respect to, in double precision, near the given values. */
    public GradientCheck input(String name, Shape shape, double... values) {
        inputs.add(new Input(name, DType.F64, shape, values.clone()));
        return this;
    }

    /** An input in the format that a model expects; its values are doubles all the same. */
    public GradientCheck input(String name, DType dtype, HostTensor values) {
        double[] start = new double[values.values().length];
        Arrays.setAll(start, i -> values.values()[i]);
        inputs.add(new Input(name, dtype, values.shape(), start));
        return this;
    }

    /** Moves so many elements of each input only, chosen by the seed; otherwise all. */
    public GradientCheck elementsPerInput(int count) {
        elementsPerInput = count;
        return this;
    }

    /** The error allowed, relative to the largest gradient of the same input; otherwise 1e-7. */
    public GradientCheck within(double relativeError) {
        tolerance = relativeError;
        return this;
    }

    /**
     * Differentiates both ways and compares.
     *
     * @throws AssertionError if a gradient differs, or if the computation leaves memory behind
     */
    public void check(Computation computation) {
        long before = backend.memory().liveBytes();
        List<double[]> gradients = differentiate(computation);
        for (int i = 0; i < gradients.size(); i++) {
            compare(inputs.get(i), gradients.get(i), computation);
        }
        long left = backend.memory().liveBytes() - before;
        if (left != 0) {
            throw new AssertionError("the computation left " + left + " bytes alive after its sessions were closed");
        }
    }

    private void compare(Input input, double[] gradient, Computation computation) {
        int[] order = CounterRandom.of(CounterRandom.key(seed, input.name)).permutation(gradient.length);
        int[] elements = Arrays.copyOf(order, Math.min(order.length, elementsPerInput));
        double[] differences = new double[elements.length];
        double scale = SMALLEST_SCALE;
        for (int i = 0; i < elements.length; i++) {
            differences[i] = difference(input, elements[i], computation);
            scale = Math.max(scale, Math.abs(differences[i]));
        }
        for (int i = 0; i < elements.length; i++) {
            double error = Math.abs(differences[i] - gradient[elements[i]]);
            if (!(error <= tolerance * scale)) {
                throw new AssertionError("the gradient of " + input.name + input.shape + " at element " + elements[i]
                        + " is " + gradient[elements[i]] + ", finite differences say " + differences[i]
                        + " (allowed error " + tolerance * scale + ", seed " + seed + ")");
            }
        }
    }

    private double difference(Input input, int element, Computation computation) {
        double step = STEP * Math.max(1, Math.abs(input.start[element]));
        double above = value(computation, input, element, step);
        double below = value(computation, input, element, -step);
        return (above - below) / (2 * step);
    }

    /** Σ r·y where one element of one input is moved. */
    private double value(Computation computation, Input moved, int element, double by) {
        return backend.call(() -> {
            try (Session session = Session.open(backend)) {
                Map<String, Tensor> tensors = new LinkedHashMap<>();
                for (Input input : inputs) {
                    double[] values = input.start.clone();
                    if (input == moved) {
                        values[element] += by;
                    }
                    tensors.put(input.name, tensor(session, input, values));
                }
                List<Tensor> results = computation.run(session, tensors);
                double sum = 0;
                for (int i = 0; i < results.size(); i++) {
                    double[] values = results.get(i).toDoubles();
                    double[] factors = factors(i, values.length);
                    for (int j = 0; j < values.length; j++) {
                        sum += factors[j] * values[j];
                    }
                }
                return sum;
            }
        });
    }

    private List<double[]> differentiate(Computation computation) {
        return backend.call(() -> {
            try (Session session = Session.open(backend);
                    Tape tape = session.startTape()) {
                Map<String, Tensor> leaves = new LinkedHashMap<>();
                for (Input input : inputs) {
                    leaves.put(input.name, tape.leaf(tensor(session, input, input.start)));
                }
                List<Tensor> results = computation.run(session, leaves);
                List<Tensor> cotangents = new ArrayList<>();
                for (int i = 0; i < results.size(); i++) {
                    Tensor result = results.get(i);
                    double[] factors = factors(i, Math.toIntExact(result.shape().size()));
                    cotangents.add(session.tensor(factors, result.shape()).cast(result.dtype()));
                }
                tape.backward(results, cotangents);
                List<double[]> gradients = new ArrayList<>();
                leaves.values().forEach(leaf -> gradients.add(read(tape.gradient(leaf), leaf)));
                return gradients;
            }
        });
    }

    private static double[] read(@Nullable Tensor gradient, Tensor leaf) {
        return gradient == null ? new double[Math.toIntExact(leaf.shape().size())] : gradient.toDoubles();
    }

    private static Tensor tensor(Session session, Input input, double[] values) {
        return session.tensor(values, input.shape).cast(input.dtype);
    }

    /** The numbers r of a result. */
    private double[] factors(int result, int count) {
        CounterRandom random = CounterRandom.of(CounterRandom.key(seed, result));
        double[] factors = new double[count];
        Arrays.setAll(factors, i -> random.nextGaussian());
        return factors;
    }
}
