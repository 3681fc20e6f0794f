package io.peftj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.peftj.core.io.ConfigReader;
import io.peftj.core.io.Json;
import io.peftj.core.io.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FitOracleCommandTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        "llama, lora",
        "llama, ia3",
        "llama, prefix",
        "llama, prompt",
        "bert, lora",
        "bert, ia3",
        "bert, prefix",
        "bert, prompt",
        "llama-classifier, lora",
        "llama-classifier, ia3",
        "llama-classifier, prefix",
        "llama, loreft",
        "bert, loreft",
        "llama, pedro",
        "bert, pedro"
    })
    void trainsAsPeftDoes(String architecture, String name) {
        Fixture fixture = Fixture.of(architecture, name);

        Invocation invocation = Invocation.of(
                "fit-oracle",
                "--model",
                fixture.base(),
                "--adapter",
                fixture.folder(),
                "--inputs",
                fixture.writeInputs(folder),
                "--out",
                folder.resolve("trained"));

        assertThat(invocation.err()).isEmpty();
        assertThat(invocation.exitCode()).isZero();
        assertThat(invocation.out()).hasLineCount(1);
        compareLosses(losses(Json.parse(invocation.out().strip(), "standard output")), fixture);
        compareParameters(fixture);
    }

    private static double[] losses(com.google.gson.JsonObject json) {
        return json.getAsJsonArray("loss").asList().stream()
                .mapToDouble(loss -> loss.getAsDouble())
                .toArray();
    }

    private static void compareLosses(double[] actual, Fixture fixture) {
        double[] expected = losses(Json.read(fixture.folder().resolve("training.json")));
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.length; i++) {
            assertThat(actual[i]).as("loss %d", i).isCloseTo(expected[i], within(1e-3));
        }
    }

    /** PEFT's own single precision is up to 1.2e-3 from its double precision in trained values. */
    private void compareParameters(Fixture fixture) {
        try (Safetensors expected = Safetensors.open(fixture.folder().resolve("trained.safetensors"));
                Safetensors actual = Safetensors.open(folder.resolve("trained/adapter_model.safetensors"))) {
            assertThat(actual.names()).containsExactlyInAnyOrderElementsOf(expected.names());
            for (String name : expected.names()) {
                float[] wanted = expected.find(name).toFloats();
                float[] found = actual.find(name).toFloats();
                double worst = IntStream.range(0, wanted.length)
                        .mapToDouble(i -> Math.abs(wanted[i] - found[i]))
                        .max()
                        .orElse(0);
                assertThat(worst).as(name).isLessThan(5e-3);
            }
        }
    }

    @Test
    void aTrainedAdapterKeepsItsConfiguration() {
        Fixture fixture = Fixture.of("llama", "lora");

        Invocation.of(
                "fit-oracle",
                "--model",
                fixture.base(),
                "--adapter",
                fixture.folder(),
                "--inputs",
                fixture.writeInputs(folder),
                "--steps",
                1,
                "--out",
                folder.resolve("trained"));

        ConfigReader config = ConfigReader.read(folder.resolve("trained/adapter_config.json"));
        assertThat(config.requiredString("peft_type")).isEqualTo("LORA");
        assertThat(config.requiredInt("r")).isEqualTo(4);
    }

    @Test
    void withoutPromptsAMethodThatReadsThemIsBadInput() {
        Fixture fixture = Fixture.of("llama", "pedro");
        Path inputs = Fixture.of("llama", "lora").writeInputs(folder);

        Invocation invocation = Invocation.of(
                "fit-oracle",
                "--model",
                fixture.base(),
                "--adapter",
                fixture.folder(),
                "--inputs",
                inputs,
                "--out",
                folder.resolve("trained"));

        assertThat(invocation.exitCode()).isEqualTo(2);
        assertThat(invocation.err())
                .hasLineCount(1)
                .contains("the batch has no prompt_length, and the adapter reads whole prompts");
    }

    @Test
    void withoutTrainingJsonTheInputIsBad() {
        Fixture fixture = Fixture.of("llama", "lora-wide-pattern");

        Invocation invocation = Invocation.of(
                "fit-oracle",
                "--model",
                fixture.base(),
                "--adapter",
                fixture.folder(),
                "--inputs",
                fixture.writeInputs(folder),
                "--out",
                folder.resolve("trained"));

        assertThat(invocation.exitCode()).isEqualTo(2);
        assertThat(invocation.err()).hasLineCount(1).contains("training.json does not exist");
    }

    @Test
    void anotherOptimiserIsBadInput() throws IOException {
        Fixture fixture = Fixture.of("llama", "lora");
        Path copy = Files.createDirectory(folder.resolve("adapter"));
        Files.writeString(copy.resolve("training.json"), "{\"optimizer\": \"SGD\"}");

        Invocation invocation = Invocation.of(
                "fit-oracle",
                "--model",
                fixture.base(),
                "--adapter",
                copy,
                "--inputs",
                fixture.writeInputs(folder),
                "--out",
                folder.resolve("trained"));

        assertThat(invocation.exitCode()).isEqualTo(2);
        assertThat(invocation.err()).hasLineCount(1).contains("expected \"AdamW\" under \"optimizer\", found \"SGD\"");
    }
}
