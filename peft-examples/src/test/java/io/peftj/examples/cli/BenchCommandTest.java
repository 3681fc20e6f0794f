package io.peftj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import io.peftj.core.io.Json;
import io.peftj.testkit.TinyModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BenchCommandTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"lora", "lora-all", "dora", "ia3", "prefix"})
    void trainPrintsTheKeysOfTheOtherSide(String method) {
        Path model = TinyModels.llama(folder, 1);

        Invocation invocation = Invocation.of(
                "bench", "train", "--model", model, "--method", method, "--batch", 2, "--length", 6, "--steps", 3);

        JsonObject json = json(invocation);
        assertThat(json.keySet())
                .containsExactly(
                        "side",
                        "threads",
                        "workload",
                        "method",
                        "rss_loaded_mib",
                        "batch",
                        "length",
                        "checkpointing",
                        "dtype",
                        "trainable",
                        "loss",
                        "step_s",
                        "tokens_per_s",
                        "peak_rss_mib");
        assertThat(json.get("side").getAsString()).isEqualTo("peftj");
        assertThat(json.get("threads").getAsInt()).isEqualTo(2);
        assertThat(json.get("trainable").getAsInt()).isPositive();
        // Random tokens: about as likely as any other of the vocabulary.
        assertThat(json.get("loss").getAsDouble()).isCloseTo(Math.log(32), within(1.5));
        assertThat(invocation.err()).contains("warm-up: loss ", "step 3 of 3: loss ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"peft", "ours"})
    void classifyPrintsTheKeysOfTheOtherSide(String recipe) throws IOException {
        Path model = TinyModels.bert(folder.resolve("model"), 1);
        Path data = Files.createDirectory(folder.resolve("opinions"));
        Files.write(data.resolve("train.csv"), List.of("text,category", "a good film,good", "a dull film,bad"));
        Files.write(data.resolve("test.csv"), List.of("text,category", "a good film,good", "a dull film,bad"));

        Invocation invocation = Invocation.of(
                "bench",
                "classify",
                "--model",
                model,
                "--data",
                data,
                "--epochs",
                20,
                "--lr",
                "0.05",
                "--recipe",
                recipe);

        JsonObject json = json(invocation);
        assertThat(json.keySet())
                .containsExactly(
                        "side",
                        "data",
                        "method",
                        "epochs",
                        "lr",
                        "seed",
                        "base_dropout",
                        "accuracy",
                        "train_s",
                        "examples_per_s",
                        "trainable",
                        "peak_rss_mib");
        assertThat(json.get("data").getAsString()).isEqualTo("opinions");
        assertThat(json.get("accuracy").getAsDouble()).isEqualTo(1);
    }

    @Test
    void aMethodWithoutAHeadCannotTrainALanguageModelsHead() {
        Path model = TinyModels.llama(folder, 1);

        Invocation invocation = Invocation.of("bench", "train", "--model", model, "--method", "head");

        assertThat(invocation.exitCode()).isEqualTo(2);
        assertThat(invocation.err()).hasLineCount(1);
    }

    private static JsonObject json(Invocation invocation) {
        assertThat(invocation.exitCode()).as(invocation.err()).isZero();
        assertThat(invocation.out()).hasLineCount(1);
        return Json.parse(invocation.out().strip(), "standard output");
    }
}
