package io.peftj.methods.prefix;

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
 * The network that a prefix may be trained through: Embedding(T, d) → Linear(d, k) → tanh → Linear(k, out), under PEFT's names.
 *
 * @param tokens T, the prefix's length
 * @param in d, the width of a layer's keys
 * @param hidden k
 * @param out the keys and values of all layers
 */
record PrefixNetwork(int tokens, int in, int hidden, int out) {
    private static final String EMBEDDING = PromptParameters.NETWORK + "embedding.weight";
    private static final String FIRST = PromptParameters.NETWORK + "transform.0.weight";
    private static final String FIRST_BIAS = PromptParameters.NETWORK + "transform.0.bias";
    private static final String SECOND = PromptParameters.NETWORK + "transform.2.weight";
    private static final String SECOND_BIAS = PromptParameters.NETWORK + "transform.2.bias";

    List<ParameterSpec> parameters() {
        return List.of(
                new ParameterSpec(EMBEDDING, Shape.of(tokens, in)),
                new ParameterSpec(FIRST, Shape.of(hidden, in)),
                new ParameterSpec(FIRST_BIAS, Shape.of(hidden)),
                new ParameterSpec(SECOND, Shape.of(out, hidden)),
                new ParameterSpec(SECOND_BIAS, Shape.of(out)));
    }

    /** As PyTorch's modules start; the second layer at zero where the prefix is to be zero. */
    Map<String, HostTensor> initialise(InitialiseContext context, boolean zero) {
        Map<String, HostTensor> values = new LinkedHashMap<>();
        for (ParameterSpec parameter : parameters()) {
            String name = parameter.name();
            Shape shape = parameter.shape();
            CounterRandom random = context.random(name);
            HostTensor value = switch (name) {
                case EMBEDDING -> random.normal(shape, 1);
                case FIRST, FIRST_BIAS -> random.uniform(shape, 1 / Math.sqrt(in));
                default -> zero ? HostTensor.filled(shape, 0) : random.uniform(shape, 1 / Math.sqrt(hidden));
            };
            values.put(name, value);
        }
        return values;
    }

    /** The prefix [tokens, out] that the network makes. */
    static Tensor prefix(Map<String, Tensor> parameters) {
        Tensor hidden = PromptParameters.get(parameters, EMBEDDING)
                .linear(PromptParameters.get(parameters, FIRST))
                .plus(PromptParameters.get(parameters, FIRST_BIAS))
                .activation(Activation.TANH);
        return hidden.linear(PromptParameters.get(parameters, SECOND))
                .plus(PromptParameters.get(parameters, SECOND_BIAS));
    }
}
