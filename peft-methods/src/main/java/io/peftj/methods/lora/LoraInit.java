package io.peftj.methods.lora;

import com.google.gson.JsonPrimitive;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.tensor.HostTensor;

/** How the low-rank matrices start, as PEFT's init_lora_weights. */
public enum LoraInit {
    /** A uniform, B zero: the adapter starts as an identity. The default, "true" in the file. */
    ZERO_DELTA,
    /** A and B uniform: the adapter starts with a random delta, "false" in the file. For tests alone. */
    RANDOM,
    /** A normal, B zero. Read from files only. */
    GAUSSIAN,
    /** A and B from one orthogonal matrix. Read from files only. */
    ORTHOGONAL;

    /** Unscaled A [rank, in] and B [out, rank]. */
    record Matrices(HostTensor a, HostTensor b) {
        /** W + scale · BA [out, in]. */
        HostTensor addedTo(HostTensor weight, double scale) {
            int in = weight.shape().dim(1);
            int rank = a.shape().dim(0);
            float[] sum = weight.values().clone();
            for (int i = 0; i < b.values().length; i++) {
                double factor = scale * b.values()[i];
                int to = i / rank * in;
                int from = i % rank * in;
                for (int j = 0; j < in && factor != 0; j++) {
                    sum[to + j] += (float) (factor * a.values()[from + j]);
                }
            }
            return HostTensor.of(weight.shape(), sum);
        }
    }

    /** The value in adapter_config.json. */
    JsonPrimitive key() {
        return switch (this) {
            case ZERO_DELTA -> new JsonPrimitive(true);
            case RANDOM -> new JsonPrimitive(false);
            case GAUSSIAN -> new JsonPrimitive("gaussian");
            case ORTHOGONAL -> new JsonPrimitive("orthogonal");
        };
    }

    /** Initial matrices of a linear layer. */
    Matrices start(ParameterSpec a, ParameterSpec b, InitialiseContext context) {
        return switch (this) {
            case ZERO_DELTA -> new Matrices(uniform(a, context), HostTensor.filled(b.shape(), 0));
            case RANDOM -> new Matrices(uniform(a, context), uniform(b, context));
            case GAUSSIAN, ORTHOGONAL ->
                throw new InvalidConfigException("init_lora_weights " + key()
                        + " is read from files but not implemented for new adapters; use true");
        };
    }

    /** Kaiming's uniform initialisation with a = √5 is ±1/√in, as for PyTorch's Linear. */
    private static HostTensor uniform(ParameterSpec matrix, InitialiseContext context) {
        double bound = 1 / Math.sqrt(matrix.shape().dim(1));
        return context.random(matrix.name()).uniform(matrix.shape(), bound);
    }
}
