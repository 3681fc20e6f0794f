package io.peftj.methods.ptuning;

import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.PromptParameters;
import io.peftj.core.tensor.Activation;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The network that a prompt is trained through: Embedding(T, d) → Linear(d, k) → ReLU → Linear(k, k) → ReLU → Linear(k, d), under PEFT's names.
 *
 * @param tokens T, the prompt's length
 * @param width d, the model's width
 * @param hidden k
 */
record PromptNetwork(int tokens, int width, int hidden) {
    private static final String EMBEDDING = PromptParameters.NETWORK + "embedding.weight";
    private static final List<String> LINEARS = List.of("mlp_head.0", "mlp_head.2", "mlp_head.4");

    List<ParameterSpec> parameters() {
        return List.of(
                new ParameterSpec(EMBEDDING, Shape.of(tokens, width)),
                new ParameterSpec(weight(0), Shape.of(hidden, width)),
                new ParameterSpec(bias(0), Shape.of(hidden)),
                new ParameterSpec(weight(1), Shape.of(hidden, hidden)),
                new ParameterSpec(bias(1), Shape.of(hidden)),
                new ParameterSpec(weight(2), Shape.of(width, hidden)),
                new ParameterSpec(bias(2), Shape.of(width)));
    }

    /** As PyTorch's modules start. */
    Map<String, HostTensor> initialise(InitialiseContext context) {
        Map<String, HostTensor> values = new LinkedHashMap<>();
        for (ParameterSpec parameter : parameters()) {
            String name = parameter.name();
            Shape shape = parameter.shape();
            CounterRandom random = context.random(name);
            boolean first = name.equals(weight(0)) || name.equals(bias(0));
            double bound = 1 / Math.sqrt(first ? width : hidden);
            values.put(name, name.equals(EMBEDDING) ? random.normal(shape, 1) : random.uniform(shape, bound));
        }
        return values;
    }

    /** The prompt [tokens, width] that the network makes. */
    static Tensor prompt(Map<String, Tensor> parameters) {
        Tensor first = linear(parameters, 0, PromptParameters.get(parameters, EMBEDDING));
        Tensor second = linear(parameters, 1, first.activation(Activation.RELU));
        return linear(parameters, 2, second.activation(Activation.RELU));
    }

    private static Tensor linear(Map<String, Tensor> parameters, int number, Tensor x) {
        return x.linear(PromptParameters.get(parameters, weight(number)))
                .plus(PromptParameters.get(parameters, bias(number)));
    }

    private static String weight(int number) {
        return PromptParameters.NETWORK + LINEARS.get(number) + ".weight";
    }

    private static String bias(int number) {
        return PromptParameters.NETWORK + LINEARS.get(number) + ".bias";
    }
}
