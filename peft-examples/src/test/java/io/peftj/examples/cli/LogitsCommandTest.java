package io.peftj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.io.Safetensors;
import io.peftj.core.io.SafetensorsWriter;
import io.peftj.core.io.StoredTensor;
import io.peftj.core.io.StoredType;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LogitsCommandTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        "llama, base",
        "llama-v4-sharded, base",
        "bert, base",
        "llama-classifier, base",
        "llama, lora",
        "bert, lora",
        "llama-classifier, lora",
        "llama, ia3",
        "bert, ia3",
        "llama, prefix",
        "llama, prompt",
        "llama, p-tuning",
        "bert, prompt",
        "bert, prefix",
        "llama-classifier, prefix",
        "llama, loreft",
        "gpt2, pedro",
        "bert, pedro",
    })
    void givesTheLogitsOfHuggingFace(String architecture, String name) {
        Fixture fixture = Fixture.of(architecture, name);

        Invocation invocation = name.equals("base")
                ? logits(fixture, fixture.writeInputs(folder))
                : logits(fixture, fixture.writeInputs(folder), "--adapter", fixture.folder());

        assertThat(invocation.err()).isEmpty();
        assertThat(invocation.exitCode()).isZero();
        compare(fixture.logits(), fixture.mask());
    }

    private void compare(HostTensor expected, long... mask) {
        try (Safetensors file = Safetensors.open(folder.resolve("logits.safetensors"))) {
            StoredTensor written = file.find("logits");
            assertThat(written.type()).isEqualTo(StoredType.F32);
            assertThat(written.shape()).isEqualTo(expected.shape());
            boolean ofTokens = expected.shape().rank() == 3;
            int each = ofTokens ? expected.shape().dim(2) : 1;
            float[] actual = written.toFloats();
            float largest = 0;
            for (float value : expected.values()) {
                largest = Math.max(largest, Math.abs(value));
            }
            for (int i = 0; i < actual.length; i++) {
                boolean real = !ofTokens || mask[i / each] == 1;
                assertThat(actual[i])
                        .as("element %d", i)
                        .isCloseTo(real ? expected.values()[i] : 0, within(real ? 1e-4f * largest : 0));
            }
        }
    }

    @Test
    void aMaskOfAnotherShapeIsBadInput() {
        Fixture fixture = Fixture.of("llama", "base");
        Path inputs = inputs(
                StoredTensor.i64("input_ids", Shape.of(1, 3), 5, 6, 7),
                StoredTensor.i64("attention_mask", Shape.of(1, 2), 1, 1));

        Invocation invocation = logits(fixture, inputs);

        assertThat(invocation.exitCode()).isEqualTo(2);
        assertThat(invocation.err()).hasLineCount(1).contains("expected attention_mask [1, 3], found [1, 2]");
    }

    @Test
    void aPromptLongerThanItsRowIsBadInput() {
        Fixture fixture = Fixture.of("llama", "base");
        Path inputs = inputs(
                StoredTensor.i64("input_ids", Shape.of(1, 3), 5, 6, 7),
                StoredTensor.i64("attention_mask", Shape.of(1, 3), 1, 1, 0),
                StoredTensor.i64("prompt_length", Shape.of(1), 3));

        Invocation invocation = logits(fixture, inputs);

        assertThat(invocation.exitCode()).isEqualTo(2);
        assertThat(invocation.err())
                .hasLineCount(1)
                .contains("expected prompt_length of row 0 from 1 to its 2 tokens, found 3");
    }

    @Test
    void anAdapterOfAnotherModelIsBadInput() {
        Fixture llama = Fixture.of("llama", "base");
        Fixture bert = Fixture.of("bert", "lora");

        Invocation invocation = logits(llama, llama.writeInputs(folder), "--adapter", bert.folder());

        assertThat(invocation.exitCode()).isEqualTo(2);
        assertThat(invocation.err()).hasLineCount(1).contains("does not fit");
    }

    @Test
    void anUnknownNumberFormatIsBadInput() {
        Fixture fixture = Fixture.of("llama", "base");

        Invocation invocation = logits(fixture, fixture.writeInputs(folder), "--dtype", "float16");

        assertThat(invocation.exitCode()).isEqualTo(2);
        assertThat(invocation.err()).hasLineCount(1).contains("expected float32 or bfloat16, found float16");
    }

    @Test
    void anUnknownDeviceIsBadInput() {
        Fixture fixture = Fixture.of("llama", "base");

        Invocation invocation = logits(fixture, fixture.writeInputs(folder), "--device", "gpu");

        assertThat(invocation.exitCode()).isEqualTo(2);
        assertThat(invocation.err()).hasLineCount(1).contains("expected cpu or cuda:N, found gpu");
    }

    private Path inputs(StoredTensor... tensors) {
        Path file = folder.resolve("inputs.safetensors");
        SafetensorsWriter.write(file, List.of(tensors), Map.of());
        return file;
    }

    private Invocation logits(Fixture fixture, Path inputs, Object... more) {
        Object[] arguments = new Object[7 + more.length];
        Object[] first = {
            "logits", "--model", fixture.base(), "--inputs", inputs, "--out", folder.resolve("logits.safetensors")
        };
        System.arraycopy(first, 0, arguments, 0, first.length);
        System.arraycopy(more, 0, arguments, first.length, more.length);
        return Invocation.of(arguments);
    }
}
