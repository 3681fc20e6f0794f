package io.peftj.testkit.contract;

import io.peftj.core.InvalidFileException;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.io.StoredTensor;
import io.peftj.core.io.TensorSource;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Random weights for every parameter of a model, in place of its file; equal seeds give equal weights.
 *
 * <p>Norms scale by about 1 and biases are not zero, so that nothing hides behind a neutral value.
 */
public final class RandomTensors implements TensorSource {
    private final Map<String, Shape> parameters;
    private final long seed;

    private RandomTensors(Map<String, Shape> parameters, long seed) {
        this.parameters = parameters;
        this.seed = seed;
    }

    /** Weights of a model. */
    public static RandomTensors of(BackboneSpec spec, long seed) {
        Map<String, Shape> inFiles = new LinkedHashMap<>();
        spec.parameters().keySet().forEach(name -> inFiles.put(name, spec.shapeInFiles(name)));
        return new RandomTensors(inFiles, seed);
    }

    @Override
    public String description() {
        return "random tensors";
    }

    @Override
    public List<String> names() {
        return List.copyOf(parameters.keySet());
    }

    @Override
    public boolean contains(String name) {
        return parameters.containsKey(name);
    }

    @Override
    public StoredTensor find(String name) {
        Shape shape = parameters.get(name);
        if (shape == null) {
            throw new InvalidFileException("random tensors: the model has no parameter " + name);
        }
        return StoredTensor.f32(name, values(name, shape));
    }

    private HostTensor values(String name, Shape shape) {
        CounterRandom random = CounterRandom.of(CounterRandom.key(seed, name));
        if (shape.rank() == 1) {
            boolean scale = name.endsWith(".weight"); // of a norm
            HostTensor values = random.normal(shape, 0.2);
            for (int i = 0; scale && i < values.values().length; i++) {
                values.values()[i] += 1;
            }
            return values;
        }
        // A width of w adds w products up: the values' size stays about 1 from layer to layer.
        return random.normal(shape, 1 / Math.sqrt(shape.dim(1)));
    }

    @Override
    public void close() {
        // There is no file.
    }
}
