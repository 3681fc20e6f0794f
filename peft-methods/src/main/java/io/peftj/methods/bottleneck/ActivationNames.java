package io.peftj.methods.bottleneck;

import io.peftj.core.tensor.Activation;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** What files call nonlinearities: transformers' names, the first of which is written. All are 0 at 0, so that zeros may fill up a bottleneck. */
public final class ActivationNames {
    private ActivationNames() {}

    /** All names, those that are written first. */
    public static List<String> all() {
        return Arrays.stream(Activation.values())
                .flatMap(activation -> names(activation).stream())
                .toList();
    }

    /** The activation of a name. */
    public static Optional<Activation> named(String name) {
        return Arrays.stream(Activation.values())
                .filter(activation -> names(activation).contains(name))
                .findFirst();
    }

    static String of(Activation activation) {
        return names(activation).get(0);
    }

    private static List<String> names(Activation activation) {
        return switch (activation) {
            case GELU -> List.of("gelu");
            case GELU_TANH -> List.of("gelu_new", "gelu_pytorch_tanh");
            case SILU -> List.of("swish", "silu");
            case RELU -> List.of("relu");
            case TANH -> List.of("tanh");
        };
    }
}
