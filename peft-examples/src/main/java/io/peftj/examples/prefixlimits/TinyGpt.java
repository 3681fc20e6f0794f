package io.peftj.examples.prefixlimits;

import io.peftj.core.io.SafetensorsWriter;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A GPT-2 that knows nothing yet, as minGPT begins: normal values of deviation 0.02, those that end in the residual stream divided by √(2 · layers), and
 * zeros for biases.
 */
record TinyGpt(int layers, int heads, int width, int vocabulary, int positions) {
    private static final double DEVIATION = 0.02;

    /** Writes it as a Hugging Face directory. */
    Path write(Path folder, long seed) {
        try {
            Files.createDirectories(folder);
            Files.writeString(folder.resolve("config.json"), """
                    {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_layer": %d, "n_head": %d, "n_embd": %d,
                     "vocab_size": %d, "n_positions": %d, "bos_token_id": %d, "eos_token_id": null,
                     "tie_word_embeddings": false, "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
                    """.formatted(
                            layers, heads, width, vocabulary, positions, vocabulary - 1));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors(CounterRandom.of(seed)), Map.of());
        return folder;
    }

    private Map<String, HostTensor> tensors(CounterRandom random) {
        Map<String, HostTensor> tensors = new LinkedHashMap<>();
        tensors.put("transformer.wte.weight", random.normal(Shape.of(vocabulary, width), DEVIATION));
        tensors.put("transformer.wpe.weight", random.normal(Shape.of(positions, width), DEVIATION));
        double last = DEVIATION / Math.sqrt(2.0 * layers);
        for (int l = 0; l < layers; l++) {
            String layer = "transformer.h." + l + ".";
            norm(tensors, layer + "ln_1");
            linear(tensors, layer + "attn.c_attn", random.normal(Shape.of(width, 3 * width), DEVIATION));
            linear(tensors, layer + "attn.c_proj", random.normal(Shape.of(width, width), last));
            norm(tensors, layer + "ln_2");
            linear(tensors, layer + "mlp.c_fc", random.normal(Shape.of(width, 4 * width), DEVIATION));
            linear(tensors, layer + "mlp.c_proj", random.normal(Shape.of(4 * width, width), last));
        }
        norm(tensors, "transformer.ln_f");
        tensors.put("lm_head.weight", random.normal(Shape.of(vocabulary, width), DEVIATION));
        return tensors;
    }

    private void norm(Map<String, HostTensor> tensors, String name) {
        tensors.put(name + ".weight", HostTensor.filled(Shape.of(width), 1));
        tensors.put(name + ".bias", HostTensor.filled(Shape.of(width), 0));
    }

    /** GPT-2's layers keep their matrix as [in, out]. */
    private static void linear(Map<String, HostTensor> tensors, String name, HostTensor matrix) {
        tensors.put(name + ".weight", matrix);
        tensors.put(name + ".bias", HostTensor.filled(Shape.of(matrix.shape().dim(1)), 0));
    }
}
