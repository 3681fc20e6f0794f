package io.peftj.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import io.peftj.core.adapter.Adapter;
import io.peftj.core.adapter.AdapterConfig;
import io.peftj.core.io.Json;
import io.peftj.core.tensor.DType;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Backbones;
import io.peftj.djl.train.AdapterTrainer;
import io.peftj.djl.train.PromptAnswer;
import io.peftj.djl.train.Tasks;
import io.peftj.methods.lora.LoraConfig;
import io.peftj.methods.prefix.PrefixConfig;
import io.peftj.testkit.TinyModels;
import io.peftj.testkit.reference.ReferenceBackend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GenerateCommandTest {
    @TempDir
    Path folder;

    private Path model;
    private Path red;
    private Path blue;

    @BeforeEach
    void train() throws IOException {
        model = TinyModels.llama(folder.resolve("model"), 1);
        Files.writeString(
                model.resolve("tokenizer_config.json"),
                "{\"eos_token\": \"</s>\", \"chat_template\": \"{% for m in messages %}{{ m.content }} {% endfor %}\"}");
        red = trained("red", LoraConfig.builder().rank(4).build(), "a room is", "very red");
        blue = trained("blue", PrefixConfig.builder().virtualTokens(3).build(), "the book is", "blue and blue");
    }

    private Path trained(String name, AdapterConfig method, String prompt, String answer) {
        try (ReferenceBackend backend = ReferenceBackend.exact();
                Backbone base = Backbones.load(model, backend, DType.F32)) {
            Adapter adapter = AdapterTrainer.on(base)
                    .method(method)
                    .task(Tasks.answers())
                    .epochs(100)
                    .learningRate(5e-2)
                    .fit(List.of(new PromptAnswer(prompt, answer)));
            adapter.save(folder.resolve(name));
            return folder.resolve(name);
        }
    }

    @Test
    void aPromptIsContinued() {
        Invocation invocation = Invocation.of("generate", "--model", model, "--adapter", red, "--prompt", "a room is");
        assertThat(invocation.err()).contains("2 tokens, ").endsWith("ended\n");
        assertThat(invocation.out()).isEqualTo("very red\n");
        assertThat(invocation.exitCode()).isZero();

        Invocation cut = Invocation.of(
                "generate", "--model", model, "--adapter", red, "--prompt", "a room is", "--max-tokens", 1);
        assertThat(cut.out()).isEqualTo("very\n");
        assertThat(cut.err()).contains("cut at --max-tokens");

        Invocation stopped = Invocation.of(
                "generate", "--model", model, "--adapter", red, "--prompt", "a room is", "--stop", "ry r");
        assertThat(stopped.out()).isEqualTo("ve\n");
    }

    @Test
    void oneOfSeveralAdaptersAnswersAPrompt() {
        List<Object> both = new ArrayList<>(List.of(
                "generate",
                "--model",
                model,
                "--adapter",
                "first=" + red,
                "--adapter",
                blue,
                "--prompt",
                "the book is"));
        Invocation unsaid = Invocation.of(both.toArray());
        assertThat(unsaid.exitCode()).isEqualTo(2);
        assertThat(unsaid.err()).contains("--adapter: found [first, blue]; say by --use which of them answers");

        both.addAll(List.of("--use", "blue"));
        assertThat(Invocation.of(both.toArray()).out()).isEqualTo("blue and blue\n");

        both.set(both.size() - 1, "green");
        Invocation unknown = Invocation.of(both.toArray());
        assertThat(unknown.exitCode()).isEqualTo(2);
        assertThat(unknown.err())
                .contains("--use green: expected one of [first, blue]; give it by --adapter green=DIR");
    }

    @Test
    void aChatGoesOnWithAllThatWasSaid() {
        Invocation invocation = Invocation.reading(
                "is\n\nvery red is\n",
                "generate",
                "--model",
                model,
                "--adapter",
                red,
                "--chat",
                "--system",
                "a room",
                "--max-tokens",
                2);
        assertThat(invocation.exitCode()).as(invocation.err()).isZero();
        // "a room is" was learnt; the second turn has the first and its answer before it.
        assertThat(invocation.out()).hasLineCount(2).startsWith("very red\n");
        assertThat(invocation.err()).contains("> 2 tokens");
    }

    @Test
    void everyLineIsAnsweredInOrderUnderItsOwnAdapter() throws IOException {
        Path input = Files.writeString(folder.resolve("prompts.jsonl"), """
                {"id": "x", "prompt": "the book is", "adapter": "blue"}
                {"prompt": "a room is", "adapter": "red"}

                {"id": 3, "prompt": "a room is", "adapter": "red", "max_tokens": 1}
                {"messages": [{"role": "user", "content": "a room"}, {"role": "user", "content": "is"}], "adapter": "red"}
                {"prompt": "the book is", "adapter": "blue", "stop": [" and"]}
                {"prompt": "the book is", "adapter": null, "max_tokens": 3, "temperature": 2, "seed": 4}
                """);
        Invocation invocation =
                Invocation.of("generate", "--model", model, "--adapter", red, "--adapter", blue, "--input", input);
        assertThat(invocation.exitCode()).as(invocation.err()).isZero();
        List<JsonObject> lines = json(invocation);
        assertThat(lines).hasSize(6);
        assertThat(lines.get(0).toString())
                .isEqualTo(
                        "{\"id\":\"x\",\"adapter\":\"blue\",\"text\":\"blue and blue\",\"tokens\":3,\"finish_reason\":\"stop\"}");
        assertThat(lines.get(1).toString())
                .isEqualTo("{\"adapter\":\"red\",\"text\":\"very red\",\"tokens\":2,\"finish_reason\":\"stop\"}");
        assertThat(lines.get(2).toString())
                .isEqualTo(
                        "{\"id\":3,\"adapter\":\"red\",\"text\":\"very\",\"tokens\":1,\"finish_reason\":\"length\"}");
        assertThat(lines.get(3).get("text").getAsString()).isEqualTo("very red");
        assertThat(lines.get(4).get("text").getAsString()).isEqualTo("blue");
        assertThat(lines.get(4).get("finish_reason").getAsString()).isEqualTo("stop");
        assertThat(lines.get(5).get("adapter").isJsonNull()).isTrue();
        assertThat(invocation.err()).contains("6 of 6 texts, ");

        Invocation again = Invocation.reading(
                Files.readString(input),
                "generate",
                "--model",
                model,
                "--adapter",
                red,
                "--adapter",
                blue,
                "--input",
                "-");
        assertThat(again.out()).isEqualTo(invocation.out());
    }

    @Test
    void equalLinesAreDrawnApartAndAlikeInEveryRun() {
        String lines = "{\"prompt\": \"a room\"}\n".repeat(8);
        Object[] arguments = {
            "generate", "--model", model, "--input", "-", "--temperature", 2, "--max-tokens", 4, "--seed", 3
        };
        Invocation first = Invocation.reading(lines, arguments);
        assertThat(first.exitCode()).as(first.err()).isZero();
        assertThat(json(first).stream()
                        .map(line -> line.get("text").getAsString())
                        .distinct())
                .hasSizeGreaterThan(4);
        assertThat(Invocation.reading(lines, arguments).out()).isEqualTo(first.out());
    }

    private static List<JsonObject> json(Invocation invocation) {
        return invocation.out().lines().map(line -> Json.parse(line, "a line")).toList();
    }

    @Test
    void linesThatAreWrongAreRefusedBeforeAnythingIsComputed() {
        refused("{\"prompt\": \"a\", \"temprature\": 1}", "line 1: expected no such key under \"temprature\"");
        refused("{\"prompt\": \"a\", \"temprature\": 1}", "nearest: \"temperature\"");
        refused("{\"prompt\": \"a\", \"messages\": []}", "expected either \"prompt\" or \"messages\", found both");
        refused("{\"adapter\": null}", "expected either \"prompt\" or \"messages\", found neither");
        refused("{\"prompt\": \"a\"}", "line 1: expected one of the adapters [red, blue] under \"adapter\"");
        refused(
                "{\"prompt\": \"a\", \"adapter\": \"rot\"}",
                "expected one of [red, blue], or null under \"adapter\", found \"rot\"");
        refused(
                "{\"prompt\": \"a\", \"adapter\": \"red\", \"top_p\": 2}",
                "line 1: top p: expected a number above 0 and up to 1, found 2.0");
        refused(
                "{\"prompt\": \"a\", \"adapter\": \"red\", \"max_tokens\": 0}",
                "expected a whole number of at least 1 under \"max_tokens\", found 0");
        refused(
                "{\"prompt\": \"a\", \"adapter\": \"red\"}\n{\"prompt\": \"a\", \"adapter\": \"red\", \"max_tokens\": 40}",
                "row 1 has a prompt of 1 tokens and may get 40 more, but the model takes at most 32");
        refused("\n", "standard input: expected at least one line with a prompt, found none");
    }

    private void refused(String lines, String message) {
        Invocation invocation = Invocation.reading(
                lines, "generate", "--model", model, "--adapter", red, "--adapter", blue, "--input", "-");
        assertThat(invocation.err()).contains(message).hasLineCount(1);
        assertThat(invocation.exitCode()).isEqualTo(2);
        assertThat(invocation.out()).isEmpty();
    }

    @Test
    void optionsThatContradictEachOtherAreRefused() {
        Invocation both = Invocation.of("generate", "--model", model, "--prompt", "a", "--chat");
        assertThat(both.exitCode()).isEqualTo(2);
        assertThat(both.err()).contains("mutually exclusive");
        Invocation none = Invocation.of("generate", "--model", model);
        assertThat(none.exitCode()).isEqualTo(2);
        Invocation system = Invocation.of("generate", "--model", model, "--prompt", "a", "--system", "b");
        assertThat(system.exitCode()).isEqualTo(2);
        assertThat(system.err()).contains("--system is for --chat");
        Invocation twice =
                Invocation.of("generate", "--model", model, "--adapter", red, "--adapter", red, "--prompt", "a");
        assertThat(twice.exitCode()).isEqualTo(2);
        assertThat(twice.err()).contains("another adapter is called red already; give each a name of its own");
        Invocation absent = Invocation.of("generate", "--model", model, "--input", folder.resolve("nothing"));
        assertThat(absent.exitCode()).isEqualTo(2);
        assertThat(absent.err()).contains("nothing does not exist; check the path");
    }
}
