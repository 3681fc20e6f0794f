package io.peftj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import io.peftj.core.adapter.AdapterFiles;
import io.peftj.core.io.Json;
import io.peftj.testkit.TinyModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigOptionTest {
    @TempDir
    Path folder;

    @Test
    void optionsComeFromTheFileAndTheCommandLineComesFirst() throws IOException {
        Path model = TinyModels.bert(folder.resolve("model"), 1);
        Path data = Files.write(
                folder.resolve("opinions.csv"),
                List.of("text,label", "a good film,good", "a bad film,bad", "a great book,good", "a poor book,bad"));
        JsonObject config = Json.parse("""
                {"method": "lora", "rank": 3, "targets": ["query", "key"], "epochs": 5, "batch": 2, "lr": 2e-2,
                 "class-weight": {"good": 2, "bad": 0.5}, "max-length": 8, "seed": 4}""", "test");
        config.addProperty("model", model.toString());
        config.addProperty("data", data.toString());
        config.addProperty("out", folder.resolve("adapter").toString());

        Invocation invocation = train(Json.write(config), "--epochs", 2, "--targets", "value");

        assertThat(invocation.exitCode()).as(invocation.err()).isZero();
        assertThat(Json.parse(invocation.out().strip(), "standard output")
                        .get("steps")
                        .getAsInt())
                .isEqualTo(2 * 2);
        assertThat(AdapterFiles.load(folder.resolve("adapter")).parameters().keySet())
                .filteredOn(name -> name.contains("lora_A"))
                .isNotEmpty()
                .allSatisfy(name -> assertThat(name).contains(".value."));
        assertThat(AdapterFiles.load(folder.resolve("adapter")).task().maxLength())
                .isEqualTo(8);
    }

    @Test
    void theOrderOnTheCommandLineDoesNotMatter() throws IOException {
        Path file = Files.writeString(folder.resolve("train.json"), "{\"lr\": 1e-3}");

        Invocation invocation =
                Invocation.of("train", "--lr", 0, "--config", file, "--model", folder, "--data", "x", "--out", folder);

        assertThat(invocation.err()).contains("--lr", "expected a number above 0, found 0");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {"rnak": 8}                   | no option of peft train is called "rnak"; nearest: "rank",
            {"--rank": 8}                 | no option of peft train is called "--rank"; nearest: "rank",
            {"config": "other.json"}      | no option of peft train is called "config"; nearest:
            {"help": true}                | no option of peft train is called "help"; nearest:
            {"rank": 8, "rank": 9}        | key "rank" at $.rank occurs twice
            {"rank": null}                | expected a text or a number under "rank", found null; correct the value
            {"rank": true}                | expected a text or a number under "rank", found true; correct the value
            {"rank": [8]}                 | expected a text or a number under "rank", found [8]; correct the value
            {"resume": "yes"}             | expected true or false under "resume", found "yes"; correct the value
            {"targets": ["a,b"]}          | "a,b" under "targets" has a comma, which parts values
            {"targets": [["a"]]}          | expected a text or a number under "targets", found ["a"]
            {"class-weight": {"a": [1]}}  | expected a text or a number under "class-weight", found [1]
            {"rank": 8                    | expected valid JSON in UTF-8
            {"rank": "eight"}             | Invalid value for option '--rank': 'eight' is not an int
            {"lr": -1}                    | Invalid value for option '--lr'
            """)
    void whatAFileCannotSayIsBadInput(String json, String message) throws IOException {
        Invocation invocation = train(json, "--model", folder, "--data", "x", "--out", folder);

        assertThat(invocation.exitCode()).isEqualTo(2);
        assertThat(invocation.err()).hasLineCount(1).contains(message);
    }

    @Test
    void aMissingFileIsBadInput() {
        Invocation invocation = Invocation.of("train", "--config", folder.resolve("none.json"));

        assertThat(invocation.exitCode()).isEqualTo(2);
        assertThat(invocation.err()).hasLineCount(1).contains("none.json does not exist");
    }

    @Test
    void whatNeitherHasIsStillMissing() throws IOException {
        Invocation invocation = train("{\"model\": \"m\", \"out\": \"o\"}");

        assertThat(invocation.exitCode()).isEqualTo(2);
        assertThat(invocation.err())
                .isEqualToIgnoringNewLines("peft: Missing required option: '--data=FILE'; see peft train --help");
    }

    private Invocation train(String json, Object... more) throws IOException {
        Path file = Files.writeString(folder.resolve("train.json"), json);
        List<Object> arguments = new ArrayList<>(List.of("train", "--config", file));
        arguments.addAll(List.of(more));
        return Invocation.of(arguments.toArray());
    }
}
