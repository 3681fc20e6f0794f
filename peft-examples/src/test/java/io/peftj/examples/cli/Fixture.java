package io.peftj.examples.cli;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.peftj.core.io.Safetensors;
import io.peftj.core.io.SafetensorsWriter;
import io.peftj.core.io.StoredTensor;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A reference case that HF PEFT wrote: a model, an adapter on it, inputs and what they give. */
record Fixture(Path base, Path folder) {
    /** The case of an architecture; the test is skipped where there is no reference material. */
    static Fixture of(String architecture, String name) {
        Path cases = reference().resolve("fixtures/peft").resolve(architecture);
        return new Fixture(cases.resolve("base"), cases.resolve(name));
    }

    /** The folder of reference material; the test is skipped where it is absent. */
    static Path reference() {
        Path folder = Path.of(System.getProperty("peft.reference.dir", "../../shared"));
        assumeTrue(Files.isDirectory(folder), "no reference material; set -Dpeft.reference.dir");
        return folder;
    }

    /** The batch that is padded on the right, as the command reads it. */
    Path writeInputs(Path into) {
        try (Safetensors expected = expected()) {
            List<StoredTensor> inputs = new ArrayList<>();
            for (String name : List.of("input_ids", "attention_mask", "prompt_length")) {
                if (expected.contains("right." + name)) {
                    StoredTensor tensor = expected.find("right." + name);
                    inputs.add(StoredTensor.i64(name, tensor.shape(), tensor.toLongs()));
                }
            }
            Path file = into.resolve("inputs.safetensors");
            SafetensorsWriter.write(file, inputs, Map.of());
            return file;
        }
    }

    /** The batch's attention mask. */
    long[] mask() {
        try (Safetensors expected = expected()) {
            return expected.find("right.attention_mask").toLongs();
        }
    }

    /** The logits to expect of the inputs' tokens: PEFT's have more rows in front for virtual ones. */
    HostTensor logits() {
        try (Safetensors expected = expected()) {
            HostTensor all = expected.find("right.logits").toHostTensor();
            int width = expected.find("right.input_ids").shape().dim(1);
            if (all.shape().rank() == 2 || all.shape().dim(1) == width) {
                return all;
            }
            int rows = all.shape().dim(0);
            int vocabulary = all.shape().dim(2);
            float[] own = new float[rows * width * vocabulary];
            for (int row = 0; row < rows; row++) {
                int end = (row + 1) * all.shape().dim(1) * vocabulary;
                int length = width * vocabulary;
                System.arraycopy(all.values(), end - length, own, row * length, length);
            }
            return HostTensor.of(Shape.of(rows, width, vocabulary), own);
        }
    }

    private Safetensors expected() {
        return Safetensors.open(folder.resolve("expected.safetensors"));
    }
}
